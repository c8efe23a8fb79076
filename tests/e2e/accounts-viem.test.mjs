// Accounts.sol through viem, unmodified.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import {
  BaseError, ContractFunctionRevertedError, createPublicClient, createTestClient, createWalletClient, decodeEventLog,
  getContract, http, publicActions, walletActions,
} from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { foundry } from 'viem/chains'
import * as register from './accounts.mjs'
import { addresses, keys, startNode } from './node.mjs'

const { abi, bytecode } = register
const [owner, alice] = keys.map((key) => privateKeyToAccount(key))
// An update in the second of the creation writes less than one a second later, so no estimate would do.
const gas = 300_000n
let node, client, address

before(async () => {
  node = await startNode()
  client = createTestClient({ chain: foundry, mode: 'anvil', transport: http(node.url), pollingInterval: 10 })
    .extend(publicActions)
    .extend(walletActions)
})
after(() => node?.stop())

// viem gives small integers as numbers, the table has them all as bigints.
const widened = (value) => (typeof value === 'number' ? BigInt(value) : value)
const mined = (hash) => client.waitForTransactionReceipt({ hash })

test('deploy', async () => {
  const hash = await client.deployContract({ abi, bytecode, account: owner, args: [owner.address, 3600] })
  const receipt = await mined(hash)
  assert.equal(receipt.status, 'success')
  assert.equal(receipt.type, 'eip1559')
  address = receipt.contractAddress
  assert.equal(await client.readContract({ abi, address, functionName: 'owner' }), owner.address)
})

test('simulate, create, update and read', async () => {
  const contract = getContract({ abi, address, client })
  const { request, result } = await contract.simulate.create(['alice', 'ipfs://one'], { account: alice })
  assert.equal(result, 1n)
  const created = await mined(await client.writeContract(request))
  const event = decodeEventLog({ abi, ...created.logs[0] })
  assert.deepEqual(event, {
    eventName: 'AccountCreated',
    args: { id: 1n, holder: alice.address, name: 'alice', uri: 'ipfs://one' },
  })
  await mined(await contract.write.update([1n, 'alice', 'ipfs://two'], { account: alice, gas }))
  const account = await contract.read.get([1n])
  assert.equal(account.uri, 'ipfs://two')
  assert.equal(account.status, 1)
  const [list, total] = await contract.read.page([0n, 10n])
  assert.equal(total, 1n)
  assert.equal(list[0].holder, alice.address)
})

test('events come by getContractEvents and by a filter', async () => {
  const filter = await client.createContractEventFilter({ abi, address, eventName: 'AccountUpdated', strict: true })
  await mined(
    await client.writeContract({
      abi, address, account: alice, gas, functionName: 'update', args: [1n, 'alice', 'ipfs://three'],
    }),
  )
  const changes = await client.getFilterChanges({ filter })
  assert.deepEqual(changes.map((c) => c.args.uri), ['ipfs://three'])
  assert.deepEqual(await client.getFilterChanges({ filter }), [])
  assert.equal(await client.uninstallFilter({ filter }), true)
  const events = await client.getContractEvents({
    abi, address, eventName: 'AccountUpdated', args: { by: alice.address }, fromBlock: 0n, strict: true,
  })
  assert.deepEqual(events.map((e) => e.args.uri), ['ipfs://two', 'ipfs://three'])
})

test('accounts of the node itself send as well', async () => {
  const unlocked = createWalletClient({ chain: foundry, transport: http(node.url), account: addresses[2] })
  const hash = await unlocked.writeContract({ abi, address, functionName: 'create', args: ['bob', ''] })
  assert.equal((await mined(hash)).status, 'success')
})

test('multicalls in one HTTP batch', async () => {
  const batching = createPublicClient({ chain: foundry, transport: http(node.url, { batch: { wait: 5 } }) })
  const names = await Promise.all(
    [1n, 2n].map((id) => batching.readContract({ abi, address, functionName: 'get', args: [id] })),
  )
  assert.deepEqual(names.map((account) => account.name), ['alice', 'bob'])
})

test('every custom error is met and decoded', async (t) => {
  const scene = await register.deployAccounts(node)
  for (const failure of register.failures) {
    const [functionName, ...args] = failure.call
    await t.test(failure.error, () =>
      register.inStateOf(failure, node, scene, async () => {
        for (const action of ['simulateContract', 'estimateContractGas']) {
          const call = { abi, address: scene.address, functionName, args, account: failure.from }
          const error = await client[action](call).then(
            () => assert.fail('the call passed'),
            (thrown) => thrown,
          )
          assert.ok(error instanceof BaseError, String(error))
          const reverted = error.walk((e) => e instanceof ContractFunctionRevertedError)
          assert.equal(reverted?.data?.errorName, failure.error, error.message)
          if (failure.args) assert.deepEqual((reverted.data.args ?? []).map(widened), failure.args)
        }
      }),
    )
  }
})

test('after a revert to a snapshot the calls replay', async () => {
  const fees = { gas, maxFeePerGas: 10n ** 10n, maxPriorityFeePerGas: 10n ** 9n }
  const call = { abi, address, account: owner, functionName: 'pause', ...fees }
  const id = await client.snapshot()
  const first = await mined(await client.writeContract(call))
  await client.revert({ id })
  assert.equal(await client.readContract({ abi, address, functionName: 'paused' }), false)
  const second = await mined(await client.writeContract(call))
  assert.deepEqual([second.transactionHash, second.blockNumber], [first.transactionHash, first.blockNumber])
})
