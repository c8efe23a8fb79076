// trace_*: on the chain that does everything inside, the same as anvil answers on the same transactions, what they change
// included; rewards, paths, blocks of several transactions, and what is refused.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { ethers } from 'ethers'
import { explored, flashed, friend, hashOf, heir, mortal, play, script, startBoth } from './explored.mjs'
import { addresses, isAnvil, request, startNode } from './node.mjs'

const skip = isAnvil || process.env.ASHLAR_E2E_RPC !== undefined
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'ashlar-trace-'))
const all = ['trace', 'stateDiff', 'vmTrace']

let node, peer, stop
before(async () => {
  // Its option sets the fee of the first block, ours that of the one before.
  if (!skip) ({ node, peer, stop } = await startBoth('--base-fee', '875000000'))
})
after(async () => {
  await stop?.()
  fs.rmSync(folder, { recursive: true, force: true })
})

const numberOf = (name) => ethers.toQuantity(script.findIndex((entry) => entry.name === name) + 1)
// Of errors only that of a revert is worded alike everywhere.
const sameWords = (list) => list.map(({ error, ...rest }) => ({ ...rest, error: error && (error === 'Reverted' ? error : 'failed') }))
const without = (list, ...keys) => list.map((entry) => Object.fromEntries(Object.entries(entry).filter(([key]) => !keys.includes(key))))
const places = ['blockHash', 'blockNumber', 'transactionHash', 'transactionPosition']

test('calls are listed as anvil lists them', { skip }, async () => {
  for (const { name, hash } of script) {
    const ours = await node.rpc('trace_transaction', hash)
    assert.deepEqual(await node.rpc('trace_block', numberOf(name)), ours, name)
    const replayed = await node.rpc('trace_replayTransaction', hash, ['trace'])
    assert.deepEqual(replayed.trace, without(ours, ...places), name)
    const block = await node.rpc('eth_getBlockByNumber', numberOf(name), false)
    for (const entry of ours)
      assert.deepEqual(places.map((key) => entry[key]), [block.hash, Number(block.number), hash, 0])
    if (!peer) continue
    const [theirs] = await peer.rpc('trace_replayBlockTransactions', numberOf(name), ['trace'])
    assert.deepEqual(sameWords(replayed.trace), sameWords(theirs.trace), name)
    assert.deepEqual([replayed.output, replayed.transactionHash], [theirs.output, theirs.transactionHash])
    const filed = await peer.rpc('trace_transaction', hash) // where it shows calls of precompiles
    if (name !== 'look') assert.deepEqual(sameWords(without(ours, 'blockHash')), sameWords(without(filed, 'blockHash')), name)
  }
  const [deployed] = await node.rpc('trace_transaction', hashOf('deploy'))
  assert.deepEqual([deployed.type, deployed.action.creationMethod, deployed.result.address], ['create', 'create', explored])
  assert.equal(deployed.result.code, await node.rpc('eth_getCode', explored, 'latest'))
  const ended = await node.rpc('trace_transaction', hashOf('end'))
  assert.deepEqual(without(ended.slice(2), 'blockHash'), [{
    action: { address: mortal, balance: '0x5', refundAddress: heir }, blockNumber: 12, result: null, subtraces: 0,
    traceAddress: [0, 0], transactionHash: hashOf('end'), transactionPosition: 0, type: 'suicide' }])
  const [, collided] = await node.rpc('trace_transaction', hashOf('make salted again'))
  assert.deepEqual([collided.error, collided.result], ['contract address collision', null])
})

// From what to what everything went; an account that was not there is like an empty one.
function changesOf(diff) {
  const pair = (value, zero) => [value['-'] ?? value['*']?.from ?? zero, value['+'] ?? value['*']?.to ?? zero]
  const moved = (value, zero) => {
    const [from, to] = value === '=' ? [] : pair(value, zero)
    return from === to ? '=' : [from, to]
  }
  const word = '0x' + '0'.repeat(64)
  return Object.fromEntries(Object.entries(diff).map(([address, { balance, nonce, code, storage }]) => [address, {
    balance: moved(balance, '0x0'), nonce: moved(nonce, '0x0'), code: moved(code, '0x'),
    storage: Object.fromEntries(Object.entries(storage).map(([key, value]) => [key, pair(value, word)])) }]))
}

test('what transactions change, as anvil and prestateTracer see it', { skip }, async () => {
  for (const { name, hash } of script) {
    const { stateDiff, trace, vmTrace } = await node.rpc('trace_replayTransaction', hash, ['stateDiff'])
    assert.deepEqual([trace, vmTrace], [[], null])
    const changes = changesOf(stateDiff)
    const { pre, post } = await node.rpc('debug_traceTransaction', hash, { tracer: 'prestateTracer', tracerConfig: { diffMode: true } })
    // geth names accounts that are not there among what is after
    const named = Object.entries({ ...pre, ...post }).filter(([address, entry]) => pre[address] || Object.keys(entry).some((key) => key !== 'codeHash'))
    assert.deepEqual(Object.keys(changes).sort(), named.map(([address]) => address).sort(), name)
    for (const [address, { balance, nonce, code, storage }] of Object.entries(changes)) {
      const [from, to] = [pre[address] ?? {}, post[address] ?? {}]
      if (balance !== '=') assert.deepEqual(balance, [from.balance ?? '0x0', to.balance ?? balance[1]], name)
      if (nonce !== '=') assert.deepEqual(nonce, [from.nonce ?? 0, to.nonce].map((value) => ethers.toQuantity(value)), name)
      if (code !== '=') assert.deepEqual(code, [from.code ?? '0x', to.code], name)
      for (const [slot, [before, then]] of Object.entries(storage))
        assert.deepEqual([BigInt(before), BigInt(then)], [BigInt(from.storage?.[slot] ?? 0), BigInt(to.storage?.[slot] ?? 0)], name)
    }
    if (!peer) continue
    const [theirs] = await peer.rpc('trace_replayBlockTransactions', numberOf(name), ['stateDiff'])
    assert.deepEqual(changes, changesOf(theirs.stateDiff), name)
  }
  const { stateDiff: paid } = await node.rpc('trace_replayTransaction', hashOf('pay'), ['stateDiff'])
  assert.deepEqual(paid[friend], { balance: { '+': '0x1' }, code: { '+': '0x' }, nonce: { '+': '0x0' }, storage: {} })
  assert.deepEqual(paid[explored], { balance: { '*': { from: '0x3e8', to: '0x3ef' } }, code: '=', nonce: '=', storage: {} })
  const { stateDiff: passing } = await node.rpc('trace_replayTransaction', hashOf('flash'), ['stateDiff'])
  assert.equal(passing[flashed], undefined) // it came and went
})

// In anvil, what is left of the gas is told from before, memory is all of it, some stores are missing, calls push what
// was on the stack before, and there is no idx.
const instructions = ({ ops }) => ops.map(({ pc, op, cost, sub, ex }) =>
  ({ pc, op, cost, push: /CALL$|CALLCODE|CREATE/.test(op) ? null : ex?.push, sub: sub && instructions(sub) }))

test('instructions, as anvil and the struct logs have them', { skip }, async () => {
  const flat = ({ ops }, depth = 1) => ops.flatMap(({ pc, op, sub, ex }) => [{ pc, op, depth, ...ex }, ...(sub ? flat(sub, depth + 1) : [])])
  for (const { name, hash } of script) {
    const { vmTrace, stateDiff } = await node.rpc('trace_replayTransaction', hash, ['vmTrace'])
    assert.equal(stateDiff, null)
    const { structLogs } = await node.rpc('debug_traceTransaction', hash, { disableStorage: true })
    assert.deepEqual(flat(vmTrace).map(({ pc, op, depth }) => ({ pc, op, depth })), structLogs.map(({ pc, op, depth }) => ({ pc, op, depth })), name)
    for (const [i, { used, push, store, depth, op }] of flat(vmTrace).entries()) {
      const [key, val] = structLogs[i].stack.slice(-2).reverse()
      assert.deepEqual(store, op === 'SSTORE' ? { key, val } : null)
      const next = structLogs.slice(i + 1).find((entry) => entry.depth <= depth)
      if (next?.depth !== depth) continue
      assert.equal(used, next.gas, `${name} ${i}`)
      if (push.length) assert.deepEqual(push, next.stack.slice(-push.length), `${name} ${i}`)
    }
    const tx = await node.rpc('eth_getTransactionByHash', hash)
    assert.equal(vmTrace.code, tx.to === null ? tx.input : await node.rpc('eth_getCode', tx.to, ethers.toQuantity(tx.blockNumber)), name)
    if (!peer || name === 'look') continue // where it takes the next call's instructions for a precompile's
    const [theirs] = await peer.rpc('trace_replayBlockTransactions', numberOf(name), ['vmTrace'])
    assert.deepEqual(instructions(vmTrace), instructions(theirs.vmTrace), name)
  }
  const { vmTrace } = await node.rpc('trace_replayTransaction', hashOf('end'), ['vmTrace'])
  const call = vmTrace.ops.find(({ sub }) => sub)
  assert.deepEqual([call.op, call.ex.push, call.sub.code], ['CALL', ['0x1'], '0x5f35ff'])
  assert.deepEqual(call.sub.ops.map(({ op, idx }) => [op, idx]), ['PUSH0', 'CALLDATALOAD', 'SELFDESTRUCT'].map((op, i) => [op, `${call.idx}-${i}`]))
  assert.deepEqual(vmTrace.ops[2], { pc: 4, op: 'MSTORE', idx: '0-2', cost: 12, sub: null,
    ex: { mem: { data: ethers.zeroPadValue('0x80', 32), off: 64 }, push: [], store: null, used: vmTrace.ops[2].ex.used } })
  assert.deepEqual((await node.rpc('trace_replayTransaction', hashOf('plain'), ['vmTrace'])).vmTrace, { code: '0x', ops: [] })
})

// It lays calls and instructions over each other to find where a transaction failed.
test('calls as Otterscan lists them are those within the instructions', { skip }, async () => {
  const depths = ({ ops }, depth = 0) => [depth, ...ops.filter(({ sub }) => sub).flatMap(({ sub }) => depths(sub, depth + 1))]
  for (const { name, hash } of script) {
    const calls = (await node.rpc('ots_traceTransaction', hash)).filter(({ type }) => type !== 'SELFDESTRUCT')
    const { vmTrace } = await node.rpc('trace_replayTransaction', hash, ['vmTrace'])
    assert.deepEqual(depths(vmTrace), calls.map(({ depth }) => depth), name)
  }
  const { vmTrace } = await node.rpc('trace_replayTransaction', hashOf('sour'), ['vmTrace'])
  assert.equal(vmTrace.ops.at(-1).op, 'REVERT')
})

test('blocks of several transactions, and paths', { skip }, async () => {
  const moment = await node.rpc('evm_snapshot')
  await node.rpc('evm_setAutomine', false)
  const hashes = []
  for (const i of [0, 1, 2])
    hashes.push(await node.rpc('eth_sendTransaction', { from: addresses[2], to: friend, value: ethers.toQuantity(i + 1) }))
  await node.rpc('evm_mine')
  const number = await node.rpc('eth_blockNumber')
  const traces = await node.rpc('trace_block', number)
  assert.deepEqual(traces.map((entry) => [entry.transactionHash, entry.transactionPosition, entry.action.value]),
    hashes.map((hash, i) => [hash, i, ethers.toQuantity(i + 1)]))
  assert.deepEqual(traces, (await Promise.all(hashes.map((hash) => node.rpc('trace_transaction', hash)))).flat())
  const replays = await node.rpc('trace_replayBlockTransactions', number, all)
  assert.deepEqual(replays, await Promise.all(hashes.map((hash) => node.rpc('trace_replayTransaction', hash, all))))
  assert.deepEqual(replays[2].stateDiff[friend].balance['*'].from, replays[1].stateDiff[friend].balance['*'].to)
  assert.deepEqual(await node.rpc('trace_replayBlockTransactions', Number(number), all), replays)
  await node.rpc('evm_setAutomine', true)
  await node.rpc('evm_revert', moment)

  for (const name of ['pay', 'flash', 'plain']) {
    const list = await node.rpc('trace_transaction', hashOf(name))
    for (const entry of list)
      assert.deepEqual(await node.rpc('trace_get', hashOf(name), entry.traceAddress.map((place) => ethers.toQuantity(place))), entry)
    assert.equal(await node.rpc('trace_get', hashOf(name), ['0x9']), null)
    assert.equal(await node.rpc('trace_get', hashOf(name), ['0xffffffffffffffff']), null)
  }
})

test('rewards of mined blocks, and accounts that end', { skip }, async () => {
  const mined = await startNode(['--fork', 'london'])
  const hash = await mined.rpc('eth_sendTransaction', { from: addresses[0], to: friend, value: '0x1' })
  const { miner, hash: blockHash } = await mined.rpc('eth_getBlockByNumber', '0x1', false)
  const [transfer, reward, ...more] = await mined.rpc('trace_block', '0x1')
  assert.deepEqual([transfer.transactionHash, more], [hash, []])
  assert.deepEqual(reward, { action: { author: miner, rewardType: 'block', value: '0x1bc16d674ec80000' }, blockHash, blockNumber: 1,
    result: null, subtraces: 0, traceAddress: [], type: 'reward' })
  const { stateDiff } = await mined.rpc('trace_replayTransaction', hash, ['stateDiff'])
  const paid = BigInt(changesOf(stateDiff)[miner].balance[1])
  assert.equal(BigInt(await mined.rpc('eth_getBalance', miner, 'latest')), paid + BigInt(reward.action.value))
  await mined.rpc('evm_mine')
  assert.deepEqual((await mined.rpc('trace_block', '0x2')).map(({ type }) => type), ['reward'])
  assert.deepEqual(await mined.rpc('trace_block', 'earliest'), [])

  // Before Cancun what ends is gone: selfdestruct(calldataload(0)).
  const from = addresses[0]
  const deployed = await mined.rpc('eth_sendTransaction', { from, value: '0x5', data: '0x63600035ff6000526004601cf3' })
  const { contractAddress } = await mined.rpc('eth_getTransactionReceipt', deployed)
  const ended = await mined.rpc('eth_sendTransaction', { from, to: contractAddress, data: ethers.zeroPadValue(heir, 32) })
  const changes = async (tx) => (await mined.rpc('trace_replayTransaction', tx, ['stateDiff'])).stateDiff
  const of = (sign) => ({ balance: { [sign]: '0x5' }, code: { [sign]: '0x600035ff' }, nonce: { [sign]: '0x1' }, storage: {} })
  assert.deepEqual((await changes(deployed))[contractAddress], of('+'))
  assert.deepEqual((await changes(ended))[contractAddress], of('-'))
  assert.equal(await mined.stop(), 0)
})

test('what is not there, and what is refused', { skip }, async () => {
  const nowhere = '0x' + '11'.repeat(32)
  assert.equal(await node.rpc('trace_transaction', nowhere), null)
  assert.equal(await node.rpc('trace_replayTransaction', nowhere, all), null)
  assert.equal(await node.rpc('trace_get', nowhere, ['0x0']), null)
  assert.deepEqual(await node.rpc('trace_block', '0x0'), [])
  assert.deepEqual(await node.rpc('trace_replayBlockTransactions', '0x0', all), [])
  const hash = hashOf('plain')
  assert.deepEqual(await node.rpc('trace_replayTransaction', hash, []), { output: '0x', stateDiff: null, trace: [], transactionHash: hash, vmTrace: null })
  const refused = async (code, words, method, ...params) => {
    const { error } = await request(node.url, method, params)
    assert.equal(error?.code, code, method)
    assert.match(error.message, words)
  }
  await refused(-32602, /unrecognized trace type: bla/, 'trace_replayTransaction', hash, ['trace', 'bla'])
  await refused(-32602, /unrecognized trace type: a number/, 'trace_replayBlockTransactions', '0x1', [7])
  await refused(-32602, /a string where a list of trace types/, 'trace_replayTransaction', hash, 'trace')
  await refused(-32602, /missing value/, 'trace_replayTransaction', hash)
  await refused(-32602, /a list of at most/, 'trace_get', hash, '0x0')
  await refused(-32602, /a list of at most/, 'trace_get', hash, Array(1101).fill('0x0'))
  await refused(-32602, /hex string/, 'trace_transaction', '0x12')
  await refused(-32000, /header not found/, 'trace_block', '0xffff')
  for (const method of ['trace_filter', 'trace_call', 'trace_callMany', 'trace_rawTransaction']) await refused(-32601, /trace_/, method)
  assert.equal((await node.rpc('rpc_modules')).trace, '1.0')
})

test('an answer is bounded, and the next one comes', { skip }, async () => {
  const moment = await node.rpc('evm_snapshot')
  const from = addresses[2]
  const deployed = await node.rpc('eth_sendTransaction', { from, data: '0x635b6000566000526004601cf3' }) // a loop
  const { contractAddress: to } = await node.rpc('eth_getTransactionReceipt', deployed)
  const hash = await node.rpc('eth_sendTransaction', { from, to, gas: '0xf42400' })
  const { error } = await request(node.url, 'trace_replayTransaction', [hash, ['vmTrace']])
  assert.deepEqual([error.code, error.message], [-32003, 'the trace is larger than 67108864 bytes'])
  assert.equal((await request(node.url, 'trace_replayBlockTransactions', ['latest', ['vmTrace']])).error.code, -32003)
  const { trace, stateDiff } = await node.rpc('trace_replayTransaction', hash, ['trace', 'stateDiff'])
  assert.deepEqual([trace[0].error, trace[0].result, Object.keys(stateDiff).length], ['out of gas', null, 2])
  await node.rpc('evm_revert', moment)
})

test('states that are no longer held', { skip }, async () => {
  const stored = await startNode(['--data', path.join(folder, 'short'), '--state', '4'])
  await play(stored)
  for (const [method, ...params] of [['trace_block', '0x3'], ['trace_transaction', hashOf('fund')],
    ['trace_replayTransaction', hashOf('fund'), ['stateDiff']], ['trace_replayBlockTransactions', '0x3', ['trace']]]) {
    const like = await request(stored.url, 'debug_traceTransaction', [hashOf('fund')])
    const { error } = await request(stored.url, method, params)
    assert.deepEqual(error, like.error, method)
    assert.match(error.message, /state/)
  }
  assert.equal((await stored.rpc('trace_block', numberOf('plain'))).length, 1)
  assert.equal(await stored.stop(), 0)
})
