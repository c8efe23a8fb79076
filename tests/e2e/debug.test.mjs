// Looking inside: storage and account ranges, preimages, blocks as RLP, dumps of the state; and what the node says of
// itself.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { ethers } from 'ethers'
import { sendFrom } from './accounts.mjs'
import { addresses, contracts, isAnvil, keys, request, startNode } from './node.mjs'

const [alice, bob] = addresses
const word = (n) => ethers.toBeHex(n, 32)
const keccak = ethers.keccak256
let node, trials

// sstore(calldata word 0, calldata word 1); then keccak256(calldata) so that its preimage is known.
const STORE = '0x6020356000355560003660006000376000366000205000'
before(async () => {
  node = await startNode()
  const initcode = `0x60${(STORE.length / 2 - 1).toString(16)}80600b6000396000f3` + STORE.slice(2)
  trials = (await sendFrom(node, alice, undefined, initcode)).contractAddress
})
after(() => node?.stop())

const store = (slot, value) => sendFrom(node, alice, trials, ethers.concat([word(slot), word(value)]))

test('debug_storageRangeAt: storage before a transaction of a block, in the order of the trie, page by page', { skip: isAnvil }, async () => {
  for (let slot = 0; slot < 10; slot++) await store(slot, slot + 1)
  await node.rpc('evm_setAutomine', false)
  const send = (slot, value) =>
    node.rpc('eth_sendTransaction', { from: alice, to: trials, data: ethers.concat([word(slot), word(value)]), gas: '0x186a0' })
  await send(0, 0)
  await send(77, 5)
  await send(77, 0)
  await node.rpc('evm_mine')
  await node.rpc('evm_setAutomine', true)
  const { hash } = await node.rpc('eth_getBlockByNumber', 'latest', false)
  const at = async (index) => {
    const { storage, nextKey } = await node.rpc('debug_storageRangeAt', hash, index, trials, '0x00', 1000)
    assert.equal(nextKey, null)
    for (const [name, { key }] of Object.entries(storage)) assert.equal(name, keccak(key))
    assert.deepEqual(Object.keys(storage), Object.keys(storage).sort())
    return Object.fromEntries(Object.values(storage).map(({ key, value }) => [Number(key), Number(value)]))
  }
  const slots = Object.fromEntries(Array.from({ length: 10 }, (_, slot) => [slot, slot + 1]))
  assert.deepEqual(await at(0), slots)
  delete slots[0]
  assert.deepEqual(await at(1), slots)
  assert.deepEqual(await at(2), { ...slots, 77: 5 })
  const paged = {}
  for (let start = '0x'; start !== null; ) {
    const { storage, nextKey } = await node.rpc('debug_storageRangeAt', hash, 2, trials, start, 3)
    assert.ok(Object.keys(storage).length <= 3)
    Object.assign(paged, storage)
    start = nextKey
  }
  assert.equal(Object.keys(paged).length, 10)
  for (let slot = 100; slot < 300; slot++) await node.rpc('anvil_setStorageAt', trials, ethers.toQuantity(slot), word(slot))
  await node.rpc('evm_mine')
  const latest = await node.rpc('eth_getBlockByNumber', 'latest', false)
  const keys = []
  for (let start = '0x'; start !== null; ) {
    const { storage, nextKey } = await node.rpc('debug_storageRangeAt', latest.hash, 0, trials, start, 7)
    keys.push(...Object.keys(storage))
    start = nextKey
  }
  assert.equal(keys.length, 209)
  assert.deepEqual(keys, [...keys].sort())
  await assert.rejects(node.rpc('debug_storageRangeAt', hash, 9, trials, '0x', 3), /out of range/)
})

test('debug_preimage: addresses, and what contracts hashed', { skip: isAnvil }, async () => {
  assert.equal(await node.rpc('debug_preimage', keccak(bob)), bob.toLowerCase())
  const data = ethers.concat([word(1234), word(5678)])
  await store(1234, 5678)
  assert.equal(await node.rpc('debug_preimage', keccak(data)), data)
  await assert.rejects(node.rpc('debug_preimage', word(1)), /unknown preimage/)
})

test('debug_accountRange walks through all accounts', { skip: isAnvil }, async () => {
  const many = Array.from({ length: 300 }, (_, i) => keccak(ethers.toBeHex(i)).slice(0, 42))
  for (const address of many) await node.rpc('anvil_setBalance', address, '0x1')
  const seen = {}
  let start = '0x'
  do {
    const page = await node.rpc('debug_accountRange', 'latest', start, 5, false, false, false)
    assert.match(page.root, /^[0-9a-f]{64}$/)
    assert.ok(Object.keys(page.accounts).length <= 5)
    Object.assign(seen, page.accounts)
    start = page.next
  } while (start)
  const hashes = Object.keys(seen).map((address) => keccak(address))
  assert.deepEqual(hashes, [...hashes].sort())
  for (const address of many) assert.equal(BigInt(seen[address].balance), 1n)
  assert.equal(BigInt(seen[bob.toLowerCase()].balance), BigInt(await node.rpc('eth_getBalance', bob, 'latest')))
  const contract = seen[trials.toLowerCase()]
  assert.equal(contract.code, STORE)
  assert.equal(contract.storage[word(1234)], '162e')
  const proof = await node.rpc('eth_getProof', trials, [], 'latest')
  assert.equal(contract.root, proof.storageHash)
  assert.equal(contract.codeHash, proof.codeHash)
})

test('debug_getModifiedAccounts...: who was changed by one block, and between two', { skip: isAnvil }, async () => {
  const first = await store(5, 55)
  assert.ok((await node.rpc('debug_getModifiedAccountsByNumber', first.blockNumber)).includes(trials.toLowerCase()))
  const second = await sendFrom(node, alice, bob, '0x')
  const changed = await node.rpc('debug_getModifiedAccountsByHash', second.blockHash)
  assert.ok(changed.includes(alice.toLowerCase()) && !changed.includes(trials.toLowerCase()))
  const both = await node.rpc('debug_getModifiedAccountsByNumber', ethers.toQuantity(first.blockNumber - 1), second.blockNumber)
  assert.ok(both.includes(trials.toLowerCase()))
  await assert.rejects(node.rpc('debug_getModifiedAccountsByNumber', second.blockNumber, first.blockNumber), { code: -32602 })
})

test('debug_traceBlock takes the block as RLP; there are no bad blocks', { skip: isAnvil }, async () => {
  await store(6, 66)
  const rlp = await node.rpc('debug_getRawBlock', 'latest')
  const byRlp = await node.rpc('debug_traceBlock', rlp, { tracer: 'callTracer' })
  assert.deepEqual(byRlp, await node.rpc('debug_traceBlockByNumber', 'latest', { tracer: 'callTracer' }))
  await assert.rejects(node.rpc('debug_traceBlock', '0xc0'), { code: -32602 })
  assert.deepEqual(await node.rpc('debug_getBadBlocks'), [])
})

test('a dump of the state is whole: loaded into another node, everything is there and goes on', { skip: isAnvil }, async () => {
  const from = await startNode()
  const to = await startNode()
  const iface = new ethers.Interface(contracts.Trials.abi)
  const receipt = await sendFrom(from, alice, undefined, contracts.Trials.bytecode)
  for (let i = 0; i < 20; i++) await from.rpc('anvil_setStorageAt', receipt.contractAddress, word(i * i), word(i + 1))
  await from.rpc('anvil_setNonce', bob, '0x7')
  await from.rpc('anvil_setBalance', '0x00000000000000000000000000000000000000aa', '0x1')
  await from.rpc('evm_increaseTime', 1_000_000)
  await from.rpc('evm_mine')
  await to.rpc('anvil_setBalance', '0x00000000000000000000000000000000000000bb', '0x2')
  const dump = await from.rpc('anvil_dumpState')
  assert.equal(await to.rpc('anvil_loadState', dump), true)
  const again = JSON.parse(ethers.toUtf8String(await to.rpc('anvil_dumpState')))
  const first = JSON.parse(ethers.toUtf8String(dump))
  assert.deepEqual(again.accounts, first.accounts)
  assert.equal(first.format, 'ashlar-state')
  assert.equal(first.version, 1)
  assert.equal(await to.rpc('eth_getBalance', '0x00000000000000000000000000000000000000bb', 'latest'), '0x0')
  const call = { to: receipt.contractAddress, data: iface.encodeFunctionData('slots', [1]) }
  assert.equal(await to.rpc('eth_call', call, 'latest'), await from.rpc('eth_call', call, 'latest'))
  // Both are at the same state, so the same transaction makes the same state.
  const wallet = new ethers.Wallet(keys[1])
  const raw = await wallet.signTransaction({ type: 2, chainId: 31337, nonce: 7, to: alice, value: 1, gasLimit: 21000, maxFeePerGas: 10n ** 10n, maxPriorityFeePerGas: 0 })
  for (const one of [from, to]) await one.rpc('eth_sendRawTransaction', raw)
  const [a, b] = await Promise.all([from, to].map((one) => one.rpc('eth_getBlockByNumber', 'latest', false)))
  assert.equal(a.baseFeePerGas, b.baseFeePerGas)
  assert.ok(Math.abs(Number(a.timestamp) - Number(b.timestamp)) <= 2)
  assert.equal(await from.rpc('eth_getBalance', bob, 'latest'), await to.rpc('eth_getBalance', bob, 'latest'))
  // What is not a whole dump changes nothing.
  const before = await to.rpc('anvil_dumpState')
  for (const [bad, words] of [
    ['0x1f8b08', /not a state that anvil_dumpState/],
    [ethers.hexlify(ethers.toUtf8Bytes('{}')), /not a state that anvil_dumpState/],
    [ethers.hexlify(ethers.toUtf8Bytes(JSON.stringify({ ...first, version: 2 }))), /version/],
    [ethers.hexlify(ethers.toUtf8Bytes(JSON.stringify({ ...first, accounts: { [bob]: {} } }))), /not whole/],
    [ethers.hexlify(ethers.toUtf8Bytes(JSON.stringify({ ...first, next: {} }))), /not whole/],
  ]) {
    const { error } = await request(to.url, 'anvil_loadState', [bad])
    assert.equal(error?.code, -32602)
    assert.match(error.message, words)
  }
  const after = await to.rpc('anvil_dumpState')
  assert.deepEqual(JSON.parse(ethers.toUtf8String(after)).accounts, JSON.parse(ethers.toUtf8String(before)).accounts)
  await from.stop()
  await to.stop()
})

test('a loaded state can be taken back', { skip: isAnvil }, async () => {
  const dump = await node.rpc('anvil_dumpState')
  const snapshot = await node.rpc('evm_snapshot')
  await node.rpc('anvil_setBalance', bob, '0x123')
  await node.rpc('anvil_loadState', dump)
  assert.notEqual(await node.rpc('eth_getBalance', bob, 'latest'), '0x123')
  await node.rpc('anvil_setBalance', bob, '0x456')
  assert.equal(await node.rpc('evm_revert', snapshot), true)
  assert.deepEqual(JSON.parse(ethers.toUtf8String(await node.rpc('anvil_dumpState'))).accounts, JSON.parse(ethers.toUtf8String(dump)).accounts)
})

test('eth_capabilities tells what is held', { skip: isAnvil }, async () => {
  const whole = await node.rpc('eth_capabilities')
  const { hash, number } = await node.rpc('eth_getBlockByNumber', 'latest', false)
  assert.deepEqual(whole.head, { number, hash })
  for (const kind of ['state', 'tx', 'logs', 'receipts', 'blocks', 'stateproofs'])
    assert.deepEqual(whole[kind], { disabled: false, oldestBlock: '0x0' })
  const short = await startNode(['--history', '16'])
  await short.rpc('hardhat_mine', '0x64')
  const { state } = await short.rpc('eth_capabilities')
  assert.deepEqual(state.deleteStrategy, { type: 'window', retentionBlocks: '0x10' })
  assert.ok(await short.rpc('eth_getBalance', bob, state.oldestBlock))
  await assert.rejects(short.rpc('eth_getBalance', bob, ethers.toQuantity(Number(state.oldestBlock) - 1)))
  await short.stop()
})

test('rpc_discover describes every method, and truly', { skip: isAnvil }, async () => {
  const { openrpc, info, methods, components } = await node.rpc('rpc_discover')
  assert.match(openrpc, /^1\./)
  assert.ok(info.title && info.version)
  assert.ok(methods.length > 150)
  assert.equal(new Set(methods.map(({ name }) => name)).size, methods.length)
  const known = (schema) => {
    const text = JSON.stringify(schema)
    for (const [, name] of text.matchAll(/#\/components\/schemas\/(\w+)/g)) assert.ok(components.schemas[name], name)
  }
  const snapshot = await node.rpc('evm_snapshot')
  for (const { name, params, result } of methods) {
    assert.ok(result.name && result.schema)
    for (const param of params) {
      assert.ok(param.schema && param.description, `${name}: ${param.name}`)
      known(param.schema)
    }
    const optional = params.findIndex((param) => !param.required)
    if (optional >= 0) assert.ok(params.slice(optional).every((param) => !param.required) || name === 'personal_sign', name)
    const { error } = await request(node.url, name, Array(params.length + 1).fill(null))
    assert.deepEqual(error, { code: -32602, message: `too many arguments, want at most ${params.length}` }, name)
    const required = params.filter((param) => param.required).length
    if (required) assert.ok((await request(node.url, name, [])).error, `${name} without its parameters`)
    const modules = await node.rpc('rpc_modules')
    assert.equal(modules[name.split('_')[0]], '1.0')
  }
  await node.rpc('evm_revert', snapshot)
})
