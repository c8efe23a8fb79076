// What particular tools insist on: Hardhat's network helpers, Remix in a browser, cast; and the program's own words.
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { ethers } from 'ethers'
import { root } from '../../scripts/solc.mjs'
import { sendFrom } from './accounts.mjs'
import { addresses, castBinary, contracts, isAnvil, keys, nodeBinary, post, startNode } from './node.mjs'

const [alice, bob] = addresses
const iface = new ethers.Interface(contracts.Trials.abi)
let node, trials

before(async () => {
  node = await startNode()
  trials = (await sendFrom(node, alice, undefined, contracts.Trials.bytecode)).contractAddress
})
after(() => node?.stop())

test('hardhat_dropTransaction answers a boolean, anvil_dropTransaction the hash', { skip: isAnvil }, async () => {
  await node.rpc('evm_setAutomine', false)
  const send = () => node.rpc('eth_sendTransaction', { from: bob, to: alice })
  const one = await send()
  assert.equal(await node.rpc('hardhat_dropTransaction', one), true)
  assert.equal(await node.rpc('hardhat_dropTransaction', one), false)
  const two = await send()
  assert.equal(await node.rpc('anvil_dropTransaction', two), two)
  await node.rpc('evm_setAutomine', true)
})

test('--client-version answers for tools that know only some names', { skip: isAnvil }, async () => {
  assert.match(await node.rpc('web3_clientVersion'), /^ashlar\/v\d+\.\d+\.\d+-([0-9a-f]{12}|unknown)\/linux\//)
  const named = await startNode(['--client-version', 'anvil/ashlar'])
  assert.equal(await named.rpc('web3_clientVersion'), 'anvil/ashlar')
  await named.stop()
})

test('a program whose words cannot be written says so', { skip: !fs.existsSync('/dev/full') }, () => {
  const full = fs.openSync('/dev/full', 'w')
  for (const words of [['ashlar', '--version'], ['ashlar-evm', '--help'], ['ashlar-node', 'db', '--help']]) {
    const done = spawnSync(path.join(path.dirname(nodeBinary), words[0]), words.slice(1), { stdio: ['ignore', full, 'pipe'], encoding: 'utf8' })
    assert.equal(done.status, 1)
    assert.equal(done.stderr, `${words[0]}: cannot write to standard output: No space left on device\n`)
  }
  fs.closeSync(full)
})

test('--version tells the commit', { skip: isAnvil || process.env.ASHLAR_E2E_RPC !== undefined }, () => {
  const binary = path.join(process.env.ASHLAR_BIN ?? path.join(root, 'build', 'bin'), 'ashlar')
  for (const args of [['--version'], ['dev', '--version']]) {
    const text = execFileSync(binary, args, { encoding: 'utf8' })
    assert.match(text, /^ashlar (dev )?\d+\.\d+\.\d+ \(commit ([0-9a-f]{12}|unknown)\)\n$/)
  }
})

test('a wrong content type is told what to send', { skip: isAnvil }, async () => {
  const answer = await fetch(node.url, { method: 'POST', headers: { 'content-type': 'text/plain' }, body: '{}' })
  assert.equal(answer.status, 415)
  assert.match(await answer.text(), /Content-Type: application\/json/)
})

test('Remix: batches from its origin, and the debugger\'s questions', { skip: isAnvil }, async () => {
  const { transactionHash, blockHash } = await sendFrom(node, alice, trials, iface.encodeFunctionData('logMany', [2]))
  const batch = [
    ['eth_getTransactionByHash', transactionHash],
    ['debug_traceTransaction', transactionHash, { enableMemory: true, enableReturnData: true, disableStorage: false, fullStorage: false }],
    ['debug_storageRangeAt', blockHash, 0, trials, '0x0000000000000000000000000000000000000000000000000000000000000000', 1000],
    ['net_version'],
  ].map(([method, ...params], id) => ({ jsonrpc: '2.0', id, method, params }))
  const answer = await post(node.url, batch, { origin: 'https://remix.ethereum.org' })
  assert.ok(['*', 'https://remix.ethereum.org'].includes(answer.headers.get('access-control-allow-origin')))
  const [tx, trace, range, version] = answer.json.map(({ result, error }) => result ?? assert.fail(error.message))
  assert.equal(tx.hash, transactionHash)
  assert.ok(trace.structLogs.length > 10 && Array.isArray(trace.structLogs.at(-1).memory))
  assert.deepEqual(Object.keys(range), ['storage', 'nextKey'])
  assert.equal(version, '31337')
})

test('cast: send, call, logs, run, and a subscription\'s worth of rpc', { skip: isAnvil || !fs.existsSync(castBinary) }, () => {
  const cast = (...args) => execFileSync(castBinary, [...args, '--rpc-url', node.url], { encoding: 'utf8', env: { ...process.env, NO_COLOR: '1' } })
  const sent = JSON.parse(cast('send', '--json', '--private-key', keys[0], trials, 'logMany(uint256)', '3'))
  assert.equal(sent.status, '0x1')
  assert.equal(sent.logs.length, 3)
  assert.equal(cast('call', trials, 'counter()(uint256)').trim(), '0')
  assert.equal(JSON.parse(cast('logs', '--json', '--address', trials, '--from-block', sent.blockNumber, '--to-block', 'latest')).length, 3)
  assert.match(cast('run', '--quick', sent.transactionHash), /emit|Plain|topic/)
  assert.match(cast('rpc', 'debug_getBadBlocks'), /\[\]/)
})
