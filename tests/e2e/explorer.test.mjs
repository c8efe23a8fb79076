// --profile explorer: all that Blockscout's indexer asks of a node (its EthereumJSONRPC app, variant geth, tracer
// call_tracer), answered on a chain that is longer than any window of states; and what the profile sets.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { ethers } from 'ethers'
import { root } from '../../scripts/solc.mjs'
import { addresses, contracts, isAnvil, keys, post, startNode } from './node.mjs'

const skip = isAnvil || process.env.ASHLAR_E2E_RPC !== undefined
const binary = path.join(process.env.ASHLAR_BIN ?? path.join(root, 'build', 'bin'), 'ashlar-node')
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'ashlar-explorer-'))
const run = (...words) => spawnSync(binary, words, { encoding: 'utf8' })
const show = (...words) => Object.fromEntries(run('config', 'show', ...words).stdout.trim().split('\n').map((line) => line.split(/: (.*)/)))
const hex = ethers.toQuantity
const friend = '0x00000000000000000000000000000000000000f1'
const other = '0x00000000000000000000000000000000000000f2'
const heir = '0x00000000000000000000000000000000000000f3'
const EMPTY_BLOCKS = 1100 // more than the states that a store keeps without an archive

let node, explored, token, head
const blocks = [] // as a batch of eth_getBlockByNumber gives them, with their receipts

// A batch, as Blockscout sends nearly everything.
async function batch(requests) {
  const { json } = await post(node.url, requests.map(([method, ...params], id) => ({ jsonrpc: '2.0', id, method, params })))
  return json.sort((a, b) => a.id - b.id).map(({ result, error }, i) => {
    if (error) throw new Error(`${requests[i][0]}: ${error.message}`)
    return result
  })
}

before(async () => {
  if (skip) return
  node = await startNode(['--data', path.join(folder, 'data'), '--profile', 'explorer', '--memory', '256M'])
  const provider = new ethers.JsonRpcProvider(node.url, undefined, { pollingInterval: 20, cacheTimeout: -1, staticNetwork: true })
  const [alice, bob] = keys.map((key) => new ethers.NonceManager(new ethers.Wallet(key, provider)))
  const deploy = async (name, ...args) => (await new ethers.ContractFactory(contracts[name].abi, contracts[name].bytecode, alice).deploy(...args)).waitForDeployment()
  const done = async (sent) => (await sent).wait().catch(() => {})
  explored = await deploy('Explored')
  token = await deploy('Token20', 1000n)
  const limit = { gasLimit: 1_000_000n }
  await done(alice.sendTransaction({ to: await explored.getAddress(), value: 100n }))
  await done(explored.make({ value: 5n }))
  await done(explored.pay(friend, other, { value: 10n, ...limit }))
  await done(token.transfer(friend, 7n))
  await done(explored.makeMortal({ value: 5n }))
  await done(explored.connect(bob).end(heir, limit))
  await done(explored.flash(heir, { value: 3n, ...limit }))
  await done(explored.failRich.send(9n, limit))
  await node.rpc('evm_setAutomine', false)
  for (let i = 0; i < 4; i++) await node.rpc('eth_sendTransaction', { from: addresses[2], to: friend, value: hex(i) })
  await node.rpc('evm_mine')
  provider.destroy()
  await node.rpc('anvil_mine', hex(EMPTY_BLOCKS))
  head = Number(await node.rpc('eth_blockNumber'))
})
after(async () => {
  await node?.stop()
  fs.rmSync(folder, { recursive: true, force: true })
})

test('blocks, receipts and logs, in batches', { skip }, async () => {
  const numbers = Array.from({ length: head + 1 - EMPTY_BLOCKS }, (_, n) => hex(n))
  const found = await batch(numbers.map((n) => ['eth_getBlockByNumber', n, true]))
  const receipts = await batch(numbers.map((n) => ['eth_getBlockReceipts', n]))
  const needed = ['difficulty', 'extraData', 'gasLimit', 'gasUsed', 'hash', 'logsBloom', 'miner', 'number', 'parentHash',
    'receiptsRoot', 'size', 'stateRoot', 'timestamp', 'transactionsRoot', 'baseFeePerGas', 'mixHash', 'nonce', 'sha3Uncles', 'uncles', 'withdrawals']
  for (const [n, block] of found.entries()) {
    for (const key of needed) assert.notEqual(block[key], undefined, `${key} of ${n}`)
    assert.equal(receipts[n].length, block.transactions.length)
    blocks.push({ ...block, receipts: receipts[n] })
  }
  const one = blocks.at(-1)
  assert.equal(one.transactions.length, 4)
  const single = await batch(one.transactions.map((tx) => ['eth_getTransactionReceipt', tx.hash]))
  assert.deepEqual(single, one.receipts)
  assert.deepEqual(await batch(one.transactions.map((tx) => ['eth_getTransactionByHash', tx.hash])), one.transactions)
  const [byHash, count, uncle] = await batch([['eth_getBlockByHash', one.hash, true],
    ['eth_getBlockTransactionCountByNumber', one.number], ['eth_getUncleByBlockHashAndIndex', one.hash, '0x0']])
  assert.deepEqual([byHash.hash, count, uncle], [one.hash, '0x4', null])
  const topic = ethers.id('Transfer(address,address,uint256)')
  const [logs] = await batch([['eth_getLogs', { fromBlock: '0x0', toBlock: hex(head), topics: [topic] }]])
  assert.deepEqual(logs, blocks.flatMap(({ receipts: of }) => of.flatMap((receipt) => receipt.logs)))
  for (const tag of ['latest', 'earliest', 'safe', 'finalized', 'pending'])
    assert.ok((await batch([['eth_getBlockByNumber', tag, false]]))[0].number, tag)
})

const kinds = ['CALL', 'CALLCODE', 'DELEGATECALL', 'STATICCALL', 'CREATE', 'CREATE2', 'SELFDESTRUCT']

test('internal transactions, however old, by block and one by one', { skip }, async () => {
  const options = { timeout: '10s', tracer: 'callTracer' }
  const traces = await batch(blocks.slice(1).map(({ number }) => ['debug_traceBlockByNumber', number, options]))
  const check = (call) => {
    assert.ok(kinds.includes(call.type), call.type)
    for (const key of ['from', 'gas', 'gasUsed', 'input']) if (call.type !== 'SELFDESTRUCT') assert.match(call[key], /^0x/, key)
    if (!call.error) assert.match(call.to, /^0x/)
    for (const inner of call.calls ?? []) check(inner)
  }
  for (const [i, block] of blocks.slice(1).entries()) {
    assert.deepEqual(traces[i].map(({ txHash }) => txHash), block.transactions.map(({ hash }) => hash))
    for (const { result } of traces[i]) check(result)
    const hashes = block.transactions.map(({ hash }) => hash)
    assert.deepEqual(await batch(hashes.map((hash) => ['debug_traceTransaction', hash, options])), traces[i].map(({ result }) => result))
    const tops = await batch(hashes.map((hash) => ['debug_traceTransaction', hash, { ...options, tracerConfig: { onlyTopCall: true } }]))
    for (const [at, top] of tops.entries()) {
      const { calls, ...rest } = traces[i][at].result
      assert.deepEqual(top, rest)
    }
    block.traces = traces[i].map(({ result }) => result)
  }
  const opcodes = { timeout: '10s', enableMemory: true, disableStack: false, disableStorage: true, enableReturnData: false }
  const [{ structLogs }] = await batch([['debug_traceTransaction', blocks[5].transactions[0].hash, opcodes]])
  assert.ok(structLogs.length > 100 && structLogs.every((step) => step.op && step.stack))
})

// What moves by a call that counted, and by those inside of it.
function move(call, changes) {
  if (call.error) return
  const value = ['DELEGATECALL', 'STATICCALL', 'CALLCODE'].includes(call.type) ? 0n : BigInt(call.value ?? 0)
  for (const [address, wei] of [[call.from, -value], [call.to, value]])
    changes.set(address, (changes.get(address) ?? 0n) + wei)
  for (const inner of call.calls ?? []) move(inner, changes)
}

// Blockscout's internal transactions and its balances come from different calls: they must agree.
test('balances at every block are what traces and fees make of the ones before', { skip }, async () => {
  const balances = new Map()
  for (const block of blocks.slice(1)) {
    const changes = new Map([[block.miner, 0n]])
    for (const [i, trace] of block.traces.entries()) {
      const { gasUsed, effectiveGasPrice, from } = block.receipts[i]
      const price = BigInt(effectiveGasPrice)
      move(trace, changes)
      changes.set(from, (changes.get(from) ?? 0n) - BigInt(gasUsed) * price)
      changes.set(block.miner, changes.get(block.miner) + BigInt(gasUsed) * (price - BigInt(block.baseFeePerGas)))
    }
    const seen = [...changes.keys()]
    const before = await batch(seen.map((address) => ['eth_getBalance', address, block.parentHash]))
    const now = await batch(seen.map((address) => ['eth_getBalance', address, block.number]))
    for (const [i, address] of seen.entries()) {
      assert.equal(BigInt(now[i]) - BigInt(before[i]), changes.get(address), `${address} in ${block.number}`)
      if (balances.has(address)) assert.equal(before[i], balances.get(address))
      balances.set(address, now[i])
    }
  }
  assert.equal(balances.get(heir), '0x8')
})

test('code, nonces, storage and calls at old blocks', { skip }, async () => {
  const [at, there] = await Promise.all([explored.getAddress(), token.getAddress()])
  const [before, code, early, late] = await batch([['eth_getCode', at, '0x0'], ['eth_getCode', at, '0x1'],
    ['eth_getTransactionCount', addresses[0], '0x1'], ['eth_getTransactionCount', addresses[0], 'latest']])
  assert.deepEqual([before, code.length > 2, early], ['0x', true, '0x1'])
  assert.ok(Number(late) > 5)
  const read = (name, ...args) => ({ to: there, data: token.interface.encodeFunctionData(name, args) })
  const [name, decimals, then, now, slot] = await batch([['eth_call', read('name'), 'latest'], ['eth_call', read('decimals'), 'latest'],
    ['eth_call', read('balanceOf', friend), '0x2'], ['eth_call', read('balanceOf', friend), 'latest'],
    ['eth_getStorageAt', there, '0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc', 'latest']])
  assert.equal(token.interface.decodeFunctionResult('name', name)[0], 'Ashlar Token')
  assert.equal(BigInt(decimals), 18n)
  assert.deepEqual([BigInt(then), BigInt(now), BigInt(slot)], [0n, 7n, 0n])
})

test('the network, and what waits', { skip }, async () => {
  const [network, chain, version, price, number] = await batch([['net_version'], ['eth_chainId'], ['web3_clientVersion'], ['eth_gasPrice'], ['eth_blockNumber']])
  assert.deepEqual([network, chain, Number(number)], ['31337', '0x7a69', head])
  assert.match(version, /^Ashlar/i)
  assert.ok(BigInt(price) > 0n)
  const hash = await node.rpc('eth_sendTransaction', { from: addresses[3], to: friend, value: '0x1' })
  const [{ pending }] = await batch([['txpool_content']])
  const [waiting] = Object.values(Object.values(pending)[0])
  assert.deepEqual([waiting.hash, waiting.to], [hash, friend])
})

test('the variant erigon, which asks for trace_*', { skip }, async () => {
  const [calls, replays] = await batch([['trace_block', '0x1'], ['trace_replayBlockTransactions', '0x1', ['trace']]])
  assert.deepEqual(calls.map(({ type, traceAddress, transactionPosition }) => [type, traceAddress, transactionPosition])[0], ['create', [], 0])
  const [one] = await batch([['trace_replayTransaction', replays[0].transactionHash, ['trace']]])
  assert.deepEqual(one, replays[0])
})

test('the profile says what it sets, and refuses what contradicts it', { skip }, () => {
  for (const command of ['run', 'import', 'dev']) {
    const settings = show(command, '--data', folder, '--profile', 'explorer')
    assert.match(settings.state, /^archive +# --profile explorer$/)
    assert.match(settings.history, /^full +# --profile explorer$/)
    assert.match(settings['address-index'], /^true +# --profile explorer$/)
    assert.match(settings.profile, /^explorer +# --profile$/)
    assert.match(show(command, '--data', folder, '--profile', 'explorer', '--state', 'archive').state, /# --state$/)
    assert.match(run(command, '--data', folder, '--profile', 'explorer', '--history', '500').stderr, /has history: full, which --history contradicts/)
    const refused = run(command, '--data', folder, '--profile', 'explorer', '--address-index=false')
    assert.equal(refused.status, 2)
    assert.match(refused.stderr, /--profile explorer has address-index: true, which --address-index contradicts; leave one of them out/)
    assert.match(run(command, '--data', folder, '--profile', 'explore').stderr, /there is no profile "explore"; there is explorer/)
  }
  const file = path.join(folder, 'node.yaml')
  fs.writeFileSync(file, 'profile: explorer\nrun:\n  state: 5\n')
  assert.match(run('run', '--data', folder, '--config', file).stderr, /has state: archive, which .*node.yaml:3 contradicts/)
  assert.equal(run('import', '--data', path.join(folder, 'x'), '--config', file).status, 2) // for want of files only
})
