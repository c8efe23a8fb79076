// Proofs against the state root, signatures by the node's own accounts, traces, and the chain's clock and snapshots.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { ethers } from 'ethers'
import { sendFrom } from './accounts.mjs'
import { addresses, contracts, isAnvil, receiptOf, request, startNode } from './node.mjs'
import { proofValue } from './proof.mjs'

const iface = new ethers.Interface(contracts.Trials.abi)
const encode = (name, ...args) => iface.encodeFunctionData(name, args)
const [alice, bob, carol] = addresses
let node, trials

before(async () => {
  node = await startNode()
  trials = (await sendFrom(node, alice, undefined, contracts.Trials.bytecode)).contractAddress
  for (let key = 1n; key <= 20n; key++) await sendFrom(node, alice, trials, encode('set', key, key * key))
})
after(() => node?.stop())

const latest = () => node.rpc('eth_getBlockByNumber', 'latest', false)
const slotOf = (key) => ethers.keccak256(ethers.AbiCoder.defaultAbiCoder().encode(['uint256', 'uint256'], [key, 0n]))

// --- proofs ------------------------------------------------------------------------------------------

test('proofs of accounts and slots lead to the state root', async () => {
  const { stateRoot } = await latest()
  const keys = [slotOf(3n), slotOf(20n), slotOf(21n)]
  const proof = await node.rpc('eth_getProof', trials, keys, 'latest')
  const [nonce, balance, storageRoot, codeHash] = ethers.decodeRlp(proofValue(stateRoot, trials, proof.accountProof))
  assert.deepEqual([nonce, balance], ['0x01', '0x'])
  assert.equal(storageRoot, proof.storageHash)
  assert.equal(codeHash, proof.codeHash)
  assert.equal(codeHash, ethers.keccak256(await node.rpc('eth_getCode', trials, 'latest')))
  const values = proof.storageProof.map((slot, i) => proofValue(storageRoot, keys[i], slot.proof))
  assert.deepEqual(values.map((rlp) => rlp && BigInt(ethers.decodeRlp(rlp))), [9n, 400n, null])
  assert.deepEqual(proof.storageProof.map((slot) => BigInt(slot.value)), [9n, 400n, 0n])
})

test('a proof of absence leads to nothing', async () => {
  const stranger = '0x00000000000000000000000000000000000face3'
  const proof = await node.rpc('eth_getProof', stranger, [], 'latest')
  assert.equal(proofValue((await latest()).stateRoot, stranger, proof.accountProof), null)
  assert.equal(BigInt(proof.nonce), 0n)
  assert.equal(proof.storageHash, ethers.keccak256('0x80'))
})

// --- signatures --------------------------------------------------------------------------------------

test('personal_sign and eth_sign prefix the message', async () => {
  const message = ethers.hexlify(ethers.toUtf8Bytes('Ashlar says hello'))
  const byPersonal = await node.rpc('personal_sign', message, bob)
  const byEth = await node.rpc('eth_sign', bob, message)
  assert.equal(ethers.verifyMessage('Ashlar says hello', byPersonal), bob)
  assert.equal(byEth, byPersonal)
  const { error } = await request(node.url, 'personal_sign', [message, '0x00000000000000000000000000000000000face3'])
  assert.ok(error)
})

test('eth_signTypedData_v4 signs what ethers verifies', async () => {
  const domain = { name: 'Ashlar', version: '1', chainId: 31337n, verifyingContract: trials }
  const types = {
    Person: [{ name: 'name', type: 'string' }, { name: 'wallets', type: 'address[]' }],
    Mail: [
      { name: 'from', type: 'Person' },
      { name: 'to', type: 'Person[]' },
      { name: 'contents', type: 'string' },
      { name: 'salt', type: 'bytes32' },
      { name: 'grid', type: 'uint8[2][]' },
      { name: 'amount', type: 'int256' },
      { name: 'blob', type: 'bytes' },
      { name: 'flag', type: 'bool' },
    ],
  }
  const message = {
    from: { name: 'Alice', wallets: [alice] },
    to: [{ name: 'Bob', wallets: [bob, carol] }, { name: 'Nobody', wallets: [] }],
    contents: 'Grüße, 世界',
    salt: ethers.id('salt'),
    grid: [[1, 2], [3, 4]],
    amount: -5n,
    blob: '0x010203',
    flag: true,
  }
  const payload = ethers.TypedDataEncoder.getPayload(domain, types, message)
  for (const data of isAnvil ? [payload] : [payload, JSON.stringify(payload)]) {
    const signature = await node.rpc('eth_signTypedData_v4', bob, data)
    assert.equal(ethers.verifyTypedData(domain, types, message, signature), bob)
  }
})

test('eth_signTransaction gives what eth_sendRawTransaction takes', async () => {
  const nonce = await node.rpc('eth_getTransactionCount', bob, 'latest')
  const wanted = { from: bob, to: carol, value: '0x5', gas: '0x5208', nonce, maxFeePerGas: '0x77359400', maxPriorityFeePerGas: '0x1' }
  const signed = await node.rpc('eth_signTransaction', wanted)
  const raw = signed.raw ?? signed
  assert.equal(ethers.Transaction.from(raw).from, bob)
  const receipt = await receiptOf(node, await node.rpc('eth_sendRawTransaction', raw))
  assert.equal(receipt.status, '0x1')
})

// --- traces ------------------------------------------------------------------------------------------

test('the struct tracer tells every step', async () => {
  const { transactionHash, gasUsed } = await sendFrom(node, alice, trials, encode('set', 77n, 5n))
  const trace = await node.rpc('debug_traceTransaction', transactionHash, { enableMemory: true })
  assert.equal(trace.failed, false)
  assert.equal(BigInt(trace.gas), BigInt(gasUsed))
  const [first] = trace.structLogs
  assert.deepEqual([first.pc, first.op, first.depth], [0, 'PUSH1', 1])
  const store = trace.structLogs.find((step) => step.op === 'SSTORE')
  assert.ok(store.gasCost > 2000 && store.stack.length >= 2)
  assert.ok(Array.isArray(store.memory))
  assert.equal(trace.structLogs.at(-1).op, 'STOP')
})

test('the call tracer tells the tree of calls', async () => {
  const data = encode('failInner', 'deep down')
  const hash = await node.rpc('eth_sendTransaction', { from: alice, to: trials, data, gas: '0x30000' })
  assert.equal((await receiptOf(node, hash)).status, '0x0')
  const trace = await node.rpc('debug_traceTransaction', hash, { tracer: 'callTracer' })
  assert.deepEqual([trace.type, trace.from, trace.to], ['CALL', alice.toLowerCase(), trials.toLowerCase()])
  assert.equal(trace.error, 'execution reverted')
  assert.equal(trace.revertReason, 'deep down')
  assert.equal(trace.calls.length, 1)
  assert.equal(trace.calls[0].type, 'STATICCALL')
  assert.equal(trace.calls[0].error, 'execution reverted')
  const top = await node.rpc('debug_traceTransaction', hash, { tracer: 'callTracer', tracerConfig: { onlyTopCall: true } })
  assert.equal(top.calls, undefined)
  const call = await node.rpc('debug_traceCall', { from: alice, to: trials, data }, 'latest', { tracer: 'callTracer' })
  assert.equal(call.calls.length, 1)
})

test('the call tracer tells of logs when asked', async () => {
  const { transactionHash } = await sendFrom(node, alice, trials, encode('log', 'text', '0xab'))
  const trace = await node.rpc('debug_traceTransaction', transactionHash, {
    tracer: 'callTracer', tracerConfig: { withLog: true },
  })
  assert.equal(trace.logs.length, 3)
  assert.equal(trace.logs[0].topics[0], iface.getEvent('Plain').topicHash)
})

// --- clock, mining, snapshots --------------------------------------------------------------------------

test('evm_mine makes blocks, and the clock only goes forward', async () => {
  const start = await latest()
  await node.rpc('evm_mine')
  const next = await latest()
  assert.equal(BigInt(next.number), BigInt(start.number) + 1n)
  assert.equal(next.parentHash, start.hash)
  assert.ok(BigInt(next.timestamp) > BigInt(start.timestamp) || isAnvil)
})

test('evm_increaseTime moves the clock for good', async () => {
  const start = await latest()
  await node.rpc('evm_increaseTime', 86400)
  await node.rpc('evm_mine')
  const day = await latest()
  assert.ok(BigInt(day.timestamp) >= BigInt(start.timestamp) + 86400n)
  await node.rpc('evm_mine')
  assert.ok(BigInt((await latest()).timestamp) >= BigInt(day.timestamp))
})

test('evm_setNextBlockTimestamp is exact, and refuses the past', async () => {
  const start = await latest()
  const wanted = Number(start.timestamp) + 5000
  await node.rpc('evm_setNextBlockTimestamp', wanted)
  await sendFrom(node, alice, trials, encode('bump'))
  assert.equal(Number((await latest()).timestamp), wanted)
  const { error } = await request(node.url, 'evm_setNextBlockTimestamp', [wanted - 10_000])
  assert.ok(error)
})

test('a snapshot brings back everything, once, and forgets later ones', async () => {
  const before = await latest()
  const outer = await node.rpc('evm_snapshot')
  await sendFrom(node, alice, trials, encode('set', 500n, 1n))
  const inner = await node.rpc('evm_snapshot')
  await sendFrom(node, alice, trials, encode('set', 500n, 2n))
  assert.equal(await node.rpc('evm_revert', outer), true)
  assert.deepEqual(await latest(), before)
  assert.equal(BigInt(await node.rpc('eth_getStorageAt', trials, slotOf(500n), 'latest')), 0n)
  if (isAnvil) return // anvil answers an error
  assert.equal(await node.rpc('evm_revert', inner), false)
  assert.equal(await node.rpc('evm_revert', outer), false)
})

test('state of earlier blocks can still be read', async () => {
  const { blockNumber } = await sendFrom(node, alice, trials, encode('set', 600n, 1n))
  await sendFrom(node, alice, trials, encode('set', 600n, 2n))
  const at = async (block) => BigInt(await node.rpc('eth_getStorageAt', trials, slotOf(600n), block))
  assert.deepEqual([await at(blockNumber), await at('latest')], [1n, 2n])
  const old = await node.rpc('eth_call', { to: trials, data: encode('slots', 600n) }, blockNumber)
  assert.equal(BigInt(old), 1n)
})
