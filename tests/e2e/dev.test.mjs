// What a development node offers beyond geth, through viem's test client: states set by hand, mining at will, the pool.
import assert from 'node:assert/strict'
import { after, before, beforeEach, afterEach, test } from 'node:test'
import { createTestClient, decodeFunctionResult, encodeFunctionData, http, parseEther, parseGwei, publicActions, walletActions } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { foundry } from 'viem/chains'
import { addresses, contracts, isAnvil, keys, receiptOf, request, startNode } from './node.mjs'

const { abi, bytecode, deployedBytecode } = contracts.Trials
const [alice, bob] = keys.map((key) => privateKeyToAccount(key))
const stranger = '0x00000000000000000000000000000000000FaCe5'
let node, client, trials, snapshot

before(async () => {
  node = await startNode()
  const transport = http(node.url, { retryCount: 0 })
  client = createTestClient({ chain: foundry, mode: 'anvil', transport, pollingInterval: 10, cacheTime: 0 })
    .extend(publicActions)
    .extend(walletActions)
  const hash = await client.deployContract({ abi, bytecode, account: alice })
  trials = (await client.waitForTransactionReceipt({ hash })).contractAddress
})
after(() => node?.stop())
beforeEach(async () => (snapshot = await client.snapshot()))
afterEach(async () => {
  await client.setAutomine(true)
  await client.revert({ id: snapshot })
})

const fees = { maxFeePerGas: parseGwei('100'), maxPriorityFeePerGas: parseGwei('1') }
const transfer = (more = {}) => ({ account: bob, to: stranger, value: 1n, gas: 21000n, ...fees, ...more })
const read = (functionName, ...args) => client.readContract({ abi, address: trials, functionName, args })

test('balance, code, nonce and slots are set by hand', async () => {
  await client.setBalance({ address: stranger, value: parseEther('7') })
  assert.equal(await client.getBalance({ address: stranger }), parseEther('7'))
  await client.setNonce({ address: stranger, nonce: 9 })
  assert.equal(await client.getTransactionCount({ address: stranger }), 9)
  await client.setCode({ address: stranger, bytecode: deployedBytecode })
  assert.equal(await client.getCode({ address: stranger }), deployedBytecode)
  const value = '0x' + '00'.repeat(31) + '2a'
  await client.setStorageAt({ address: stranger, index: 1, value })
  assert.equal(await client.readContract({ abi, address: stranger, functionName: 'counter' }), 42n)
})

test('somebody else is impersonated, for as long as wanted', async () => {
  await client.setBalance({ address: stranger, value: parseEther('1') })
  await client.impersonateAccount({ address: stranger })
  const data = encodeFunctionData({ abi, functionName: 'bump' })
  const hash = await node.rpc('eth_sendTransaction', { from: stranger, to: trials, data })
  assert.equal((await receiptOf(node, hash)).status, '0x1')
  assert.equal(await read('lastSender'), stranger)
  await client.stopImpersonatingAccount({ address: stranger })
  const { error } = await request(node.url, 'eth_sendTransaction', [{ from: stranger, to: trials, data }])
  assert.ok(error)
})

const fifo = isAnvil && 'anvil keeps the order of arrival, and replaces at any price'
test('without automining transactions wait, and the better paid goes first', { skip: fifo }, async () => {
  await client.setAutomine(false)
  const cheap = await client.sendTransaction(transfer({ maxPriorityFeePerGas: parseGwei('1') }))
  const dear = await client.sendTransaction(transfer({ account: alice, maxPriorityFeePerGas: parseGwei('5') }))
  assert.equal(await node.rpc('eth_getTransactionReceipt', cheap), null)
  const waiting = await client.getTransaction({ hash: cheap })
  assert.equal(waiting.blockNumber, null)
  const before = await client.getTransactionCount({ address: bob.address, blockTag: 'latest' })
  assert.equal(await client.getTransactionCount({ address: bob.address, blockTag: 'pending' }), before + 1)
  assert.equal(BigInt((await node.rpc('txpool_status')).pending), 2n)
  await client.mine({ blocks: 1 })
  const { transactions } = await client.getBlock()
  assert.deepEqual(transactions, [dear, cheap])
  assert.equal(BigInt((await node.rpc('txpool_status')).pending), 0n)
})

test('a waiting transaction is replaced for a tenth more, not for less', { skip: fifo }, async () => {
  await client.setAutomine(false)
  const nonce = await client.getTransactionCount({ address: bob.address })
  const first = await client.sendTransaction(transfer({ nonce }))
  const slightly = { maxFeePerGas: parseGwei('101'), maxPriorityFeePerGas: parseGwei('1.01') }
  await assert.rejects(client.sendTransaction(transfer({ nonce, ...slightly })), (error) =>
    /replacement transaction underpriced/.test(error.details),
  )
  await assert.rejects(client.sendTransaction(transfer({ nonce })), (error) => /already known|already imported/.test(error.details))
  const enough = { maxFeePerGas: parseGwei('120'), maxPriorityFeePerGas: parseGwei('1.2') }
  const second = await client.sendTransaction(transfer({ nonce, value: 2n, ...enough }))
  await client.mine({ blocks: 1 })
  assert.equal(await node.rpc('eth_getTransactionReceipt', first), null)
  assert.equal((await receiptOf(node, second)).status, '0x1')
})

test('a waiting transaction is dropped', async () => {
  await client.setAutomine(false)
  const hash = await client.sendTransaction(transfer())
  await client.dropTransaction({ hash })
  assert.equal(BigInt((await node.rpc('txpool_status')).pending), 0n)
  await client.mine({ blocks: 1 })
  assert.equal((await client.getBlock()).transactions.length, 0)
})

test('blocks by the dozen, with a distance in time', async () => {
  const start = await client.getBlock()
  await client.mine({ blocks: 12, interval: 60 })
  const end = await client.getBlock()
  assert.equal(end.number - start.number, 12n)
  assert.ok(end.timestamp - start.timestamp >= 11n * 60n)
})

test('base fee, gas limit and coinbase of the next block are set', async () => {
  await client.setNextBlockBaseFeePerGas({ baseFeePerGas: parseGwei('20') })
  await node.rpc('evm_setBlockGasLimit', '0x2000000')
  await node.rpc('anvil_setCoinbase', stranger)
  await client.mine({ blocks: 1 })
  const block = await client.getBlock()
  assert.equal(block.baseFeePerGas, parseGwei('20'))
  assert.equal(block.gasLimit, 0x2000000n)
  assert.equal(block.miner.toLowerCase(), stranger.toLowerCase())
})

test('eth_simulateV1 runs calls and blocks that are not there', async () => {
  const { results } = await client.simulateCalls({
    account: alice.address,
    calls: [
      { abi, to: trials, functionName: 'set', args: [1n, 5n] },
      { abi, to: trials, functionName: 'slots', args: [1n] },
      { abi, to: trials, functionName: 'failText', args: ['no'] },
    ],
  })
  assert.deepEqual(results.map((r) => r.status), ['success', 'success', 'failure'])
  assert.equal(results[1].result, 5n)
  assert.equal(await read('slots', 1n), 0n)
  const blocks = await client.simulateBlocks({
    blocks: [
      { calls: [{ account: stranger, to: bob.address, value: 3n }], stateOverrides: [{ address: stranger, balance: 10n ** 18n }] },
      { blockOverrides: { gasLimit: 1_234_567n }, calls: [{ to: trials, data: encodeFunctionData({ abi, functionName: 'world' }) }] },
    ],
  })
  assert.equal(blocks[0].calls[0].status, 'success')
  const world = decodeFunctionResult({ abi, functionName: 'world', data: blocks[1].calls[0].data })
  if (!isAnvil) assert.equal(world[0], (await client.getBlockNumber()) + 2n)
  assert.equal(world[4], 1_234_567n)
})

test('eth_sendRawTransactionSync answers with the receipt', { skip: isAnvil && 'anvil waits for a block of its own' }, async () => {
  const signed = await bob.signTransaction({
    ...transfer(), type: 'eip1559', chainId: 31337, nonce: await client.getTransactionCount({ address: bob.address }),
  })
  const receipt = await node.rpc('eth_sendRawTransactionSync', signed)
  assert.equal(receipt.status, '0x1')
})

test('eth_fillTransaction fills in what is missing', { skip: isAnvil }, async () => {
  const { tx } = await node.rpc('eth_fillTransaction', { from: bob.address, to: stranger, value: '0x1' })
  assert.equal(tx.gas, '0x5208')
  assert.equal(BigInt(tx.nonce), BigInt(await client.getTransactionCount({ address: bob.address })))
  assert.ok(BigInt(tx.maxFeePerGas) > 0n)
  assert.equal(tx.chainId, '0x7a69')
})
