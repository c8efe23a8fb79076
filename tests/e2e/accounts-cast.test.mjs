// Accounts.sol through Foundry's cast, unmodified.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { ethers } from 'ethers'
import * as register from './accounts.mjs'
import { addresses, castBinary, keys, startNode } from './node.mjs'

const execute = promisify(execFile)
const iface = new ethers.Interface(register.abi)
let node, address

before(async () => {
  node = await startNode()
})
after(() => node?.stop())

async function cast(...argv) {
  const env = { PATH: process.env.PATH, HOME: '/nonexistent', ETH_RPC_URL: node.url, NO_COLOR: '1' }
  return (await execute(castBinary, argv, { env })).stdout.trim()
}

const send = async (key, ...argv) => JSON.parse(await cast('send', '--json', '--private-key', key, ...argv))

test('cast knows the chain', async () => {
  assert.equal(await cast('chain-id'), '31337')
  assert.equal(await cast('balance', '--ether', addresses[3]), '10000.000000000000000000')
  assert.equal(await cast('block-number'), '0')
  assert.ok(BigInt(await cast('gas-price')) > 0n)
})

test('deploy', async () => {
  const args = iface.encodeDeploy([addresses[0], 3600]).slice(2)
  const receipt = await send(keys[0], '--create', register.bytecode + args)
  assert.equal(receipt.status, '0x1')
  address = receipt.contractAddress
  assert.ok((await cast('code', address)).length > 1000)
  assert.equal(await cast('call', address, 'owner()(address)'), addresses[0])
})

test('create, query, update', async () => {
  const created = await send(keys[1], address, 'create(string,string)', 'alice', 'ipfs://one')
  assert.equal(created.logs.length, 1)
  assert.equal(created.logs[0].topics[0], iface.getEvent('AccountCreated').topicHash)
  await send(keys[1], '--gas-limit', '300000', address, 'update(uint256,string,string)', '1', 'alice', 'ipfs://two')
  const account = await cast(
    'call', address, 'get(uint256)((address,uint40,uint40,uint8,string,string))', '1', '--json',
  )
  assert.match(account, /ipfs:\/\/two/)
  const page = await cast(
    'call', address, 'page(uint256,uint256)((address,uint40,uint40,uint8,string,string)[],uint256)', '0', '10',
  )
  assert.match(page, /"alice"/)
})

test('events', async () => {
  const logs = JSON.parse(
    await cast('logs', '--json', '--from-block', '0', '--address', address, 'AccountUpdated(uint256,address,string,string)'),
  )
  assert.equal(logs.length, 1)
  const { args } = iface.parseLog(logs[0])
  assert.equal(args.uri, 'ipfs://two')
})

test('estimate, storage, proof, access list, receipt and trace', async () => {
  const gas = BigInt(await cast('estimate', '--from', addresses[3], address, 'create(string,string)', 'carol', ''))
  assert.ok(gas > 60_000n && gas < 200_000n)
  assert.match(await cast('storage', address, '0'), /^0x[0-9a-f]{64}$/)
  const proof = JSON.parse(await cast('proof', address, '0'))
  assert.ok(proof.accountProof.length > 0)
  const list = await cast('access-list', '--from', addresses[3], address, 'create(string,string)', 'carol', '')
  assert.match(list, new RegExp(address, 'i'))
  const { transactionHash } = await send(keys[3], address, 'create(string,string)', 'carol', '')
  assert.equal(JSON.parse(await cast('tx', '--json', transactionHash)).hash, transactionHash)
  const trace = JSON.parse(await cast('rpc', 'debug_traceTransaction', transactionHash, '{"tracer":"callTracer"}'))
  assert.equal(trace.type, 'CALL')
})

test('every custom error is met and decoded', async (t) => {
  const scene = await register.deployAccounts(node)
  for (const failure of register.failures) {
    const [name, ...args] = failure.call
    await t.test(failure.error, () =>
      register.inStateOf(failure, node, scene, async () => {
        const data = iface.encodeFunctionData(name, args)
        const stderr = await cast('call', '--from', failure.from, scene.address, '--data', data).then(
          () => assert.fail('the call passed'),
          (error) => error.stderr,
        )
        const [longest] = (stderr.match(/0x[0-9a-f]{8,}/g) ?? []).sort((a, b) => b.length - a.length)
        const decoded = longest && iface.parseError(longest)
        assert.equal(decoded?.name, failure.error, stderr)
        if (failure.args) assert.deepEqual([...decoded.args], failure.args)
        if (!failure.args?.length) return
        const shown = await cast('decode-error', '--sig', decoded.signature, longest)
        assert.ok(shown.includes(String(failure.args[0])), shown)
      }),
    )
  }
})
