// A node that keeps so many blocks whole, and of older ones the header: what it answers, what it refuses, what stays right.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { writeBranches } from '../torture/branches.mjs'
import { addresses, nodeBinary, request, serveFolder, startNode } from './node.mjs'

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'ashlar-history-'))
const genesis = path.join(folder, 'genesis.json')
const straightFile = path.join(folder, 'straight.rlp')
const restFile = path.join(folder, 'chain.rlp')
const straight = 1100
const [states, history] = [8, 20]
const run = (...words) => spawnSync(nodeBinary, words, { encoding: 'utf8' })
const importInto = (data, words, ...files) =>
  run('import', '--data', data, '--genesis', genesis, '--state', `${states}`, ...words, ...files)
const hex = (number) => '0x' + number.toString(16)
const bounded = ['--history', `${history}`]
const [full, pruned] = ['full', 'pruned'].map((name) => path.join(folder, name))
const filesOf = (data) => fs.readdirSync(path.join(data, 'segments')).sort()
const verify = (data) => run('db', 'verify', '--data', data)
let oldest
let order

function done(result) {
  assert.equal(result.status, 0, result.stderr)
  return result
}

before(async () => {
  order = await writeBranches(folder, { blocks: 60, seed: 5, straight, reach: states - 2 })
  done(importInto(full, [], straightFile, restFile))
  const imported = done(importInto(pruned, [...bounded, '--sync', '7'], straightFile, restFile))
  oldest = Number(/of blocks before (\d+) there are headers only/.exec(imported.stdout)[1])
})
after(() => fs.rmSync(folder, { recursive: true, force: true }))

const serve = (data, ...words) => serveFolder(data, '--state', `${states}`, ...words)

test('an import that prunes as it goes keeps what it should, and verifies', () => {
  const verified = done(verify(pruned))
  assert.match(verified.stdout, new RegExp(`of blocks before ${oldest} there are headers only`))
  const head = Number(/blocks to (\d+)/.exec(verified.stdout)[1])
  assert.ok(oldest > 1024 && oldest <= head - history && oldest > head - history - 40, `${oldest} of ${head}`)
  assert.deepEqual(filesOf(pruned), ['000000000000.headers'])
  assert.deepEqual(filesOf(full), ['000000000000.segment'])
  const stats = run('db', 'stats', '--data', pruned).stdout
  assert.match(stats, new RegExp(`^blocks whole +${oldest} to ${head}$`, 'm'))
  assert.match(stats, new RegExp(`^headers only +0 to ${oldest - 1}$`, 'm'))
  assert.match(run('db', 'stats', '--data', full).stdout, new RegExp(`^blocks whole +0 to ${head}$`, 'm'))
})

test('every method says of pruned blocks what geth says', async () => {
  const whole = await serve(full)
  const node = await serve(pruned, ...bounded)
  try {
    const number = hex(oldest - 30)
    const block = await whole.rpc('eth_getBlockByNumber', number, false)
    let tx
    for (let n = oldest - 31; !tx; n--) [tx] = (await whole.rpc('eth_getBlockByNumber', hex(n), false)).transactions
    const missing = async (method, ...params) => {
      const { error } = await request(node.url, method, params)
      assert.equal(error?.code, 4444, `${method}: ${JSON.stringify(error)}`)
      assert.equal(error.message, `pruned history unavailable: it begins at block ${oldest}`)
    }
    for (const method of ['eth_getBlockByNumber', 'eth_getBlockReceipts', 'eth_getBlockTransactionCountByNumber',
      'eth_getUncleCountByBlockNumber', 'debug_getRawBlock', 'debug_getRawReceipts', 'debug_traceBlockByNumber'])
      await missing(method, number)
    await missing('eth_getBlockReceipts', { blockHash: block.hash })
    for (const method of ['eth_getBlockByHash', 'eth_getBlockTransactionCountByHash', 'eth_getUncleCountByBlockHash',
      'debug_traceBlockByHash'])
      await missing(method, block.hash)
    for (const what of ['TransactionBy', 'RawTransactionBy', 'UncleBy']) {
      await missing(`eth_get${what}BlockNumberAndIndex`, number, '0x0')
      await missing(`eth_get${what}BlockHashAndIndex`, block.hash, '0x0')
    }
    await missing('debug_traceBlock', await whole.rpc('debug_getRawBlock', number))
    await missing('debug_storageRangeAt', number, 0, '0x' + '11'.repeat(20), '0x', 1)
    await missing('ots_getBlockDetails', Number(number))
    await missing('ots_getBlockDetailsByHash', block.hash)
    await missing('ots_getBlockTransactions', Number(number), 0, 10)
    await missing('eth_feeHistory', '0x2', number, [])
    await missing('eth_getLogs', { fromBlock: number, toBlock: 'latest' })
    await missing('eth_getLogs', { fromBlock: '0x0', toBlock: '0x0' })
    await missing('eth_getLogs', { fromBlock: hex(oldest - 1) })
    await missing('eth_getLogs', { blockHash: block.hash })
    await missing('eth_newFilter', { fromBlock: '0x1' })
    // Of a transaction nobody can say whether it was pruned or never there.
    for (const method of ['eth_getTransactionByHash', 'eth_getTransactionReceipt', 'eth_getRawTransactionByHash',
      'debug_getRawTransaction'])
      assert.equal(await node.rpc(method, tx), null)
    assert.match((await request(node.url, 'debug_traceTransaction', [tx])).error.message, /transaction not found/)
  } finally {
    await whole.stop()
    await node.stop()
  }
})

test('what is not pruned is answered as by a node that keeps all', async () => {
  const whole = await serve(full)
  const node = await serve(pruned, ...bounded)
  const same = async (method, ...params) =>
    assert.deepEqual(await request(node.url, method, params).then(({ result, error }) => ({ result, error })),
      await request(whole.url, method, params).then(({ result, error }) => ({ result, error })), `${method} ${params[0]}`)
  try {
    const head = Number(await whole.rpc('eth_blockNumber'))
    for (let n = 0; n <= head; n += n < oldest - 5 && n !== 1022 && n !== 1023 ? 73 : 1) {
      await same('eth_getHeaderByNumber', hex(n))
      await same('debug_getRawHeader', hex(n))
      await same('eth_getHeaderByHash', (await whole.rpc('eth_getHeaderByNumber', hex(n))).hash)
    }
    for (let n = oldest; n <= head; n++) {
      await same('eth_getBlockByNumber', hex(n), true)
      await same('eth_getBlockReceipts', hex(n))
      for (const { hash } of (await whole.rpc('eth_getBlockByNumber', hex(n), true)).transactions) {
        await same('eth_getTransactionByHash', hash)
        await same('eth_getTransactionReceipt', hash)
      }
    }
    await same('eth_getBlockByNumber', '0x0', true) // a genesis is its header
    await same('eth_getBlockReceipts', '0x0')
    await same('eth_feeHistory', '0x4', '0x0', [50])
    await same('eth_feeHistory', '0x4', 'latest', [50])
    await same('eth_getLogs', { fromBlock: hex(oldest) })
    await same('eth_call', { to: '0x' + '11'.repeat(20) }, hex(head - states))
    await same('eth_getBlockByNumber', hex(head + 1), false)
    assert.equal(await node.rpc('eth_syncing'), false)
    assert.equal((await node.rpc('eth_getBlockByNumber', 'earliest', false)).number, hex(oldest))
    assert.deepEqual(await node.rpc('eth_getLogs', { fromBlock: 'earliest' }),
      await whole.rpc('eth_getLogs', { fromBlock: hex(oldest) }))
    const can = await node.rpc('eth_capabilities')
    const kept = { disabled: false, oldestBlock: hex(oldest), deleteStrategy: { type: 'window', retentionBlocks: hex(history) } }
    for (const kind of ['tx', 'logs', 'receipts', 'blocks']) assert.deepEqual(can[kind], kept)
    assert.deepEqual(can.state.deleteStrategy, { type: 'window', retentionBlocks: hex(states) })
    assert.deepEqual((await whole.rpc('eth_capabilities')).blocks, { disabled: false, oldestBlock: '0x0' })
  } finally {
    await whole.stop()
    await node.stop()
  }
})

test('a full folder is pruned while it serves, to the same end', async () => {
  const data = path.join(folder, 'later')
  fs.cpSync(full, data, { recursive: true })
  const node = await serve(data, ...bounded)
  try {
    const deadline = Date.now() + 20_000
    while ((await node.rpc('eth_capabilities')).blocks.oldestBlock !== hex(oldest)) assert.ok(Date.now() < deadline)
    assert.equal((await request(node.url, 'eth_getBlockByNumber', [hex(oldest - 1), false])).error.code, 4444)
  } finally {
    await node.stop()
  }
  done(verify(data))
  assert.deepEqual(filesOf(data), ['000000000000.headers'])
  const headers = (of) => fs.readFileSync(path.join(of, 'segments', '000000000000.headers'))
  assert.ok(headers(data).equals(headers(pruned)), 'headers are the same bytes on every node')
  // What a crash between commit and removal leaves is removed at the next opening.
  fs.copyFileSync(path.join(full, 'segments', '000000000000.segment'), path.join(data, 'segments', '000000000000.segment'))
  done(importInto(data, [], restFile))
  assert.deepEqual(filesOf(data), ['000000000000.headers'])
})

test('the index by address forgets what is pruned, and an index made later holds what is there', async () => {
  const [early, late] = ['early', 'late'].map((name) => path.join(folder, name))
  done(importInto(early, [...bounded, '--address-index'], straightFile, restFile))
  fs.cpSync(pruned, late, { recursive: true })
  done(importInto(late, [...bounded, '--address-index'], restFile))
  const rich = '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266'
  const answers = []
  for (const data of [early, late]) {
    done(verify(data))
    const node = await serve(data, ...bounded)
    const page = await node.rpc('ots_searchTransactionsBefore', rich, 0, 50)
    answers.push(page.txs.filter(({ blockNumber }) => Number(blockNumber) > oldest + 12).map(({ hash }) => hash))
    assert.ok(page.txs.every(({ blockNumber }) => Number(blockNumber) >= oldest))
    assert.match((await request(node.url, 'ots_searchTransactionsBefore', [rich, oldest - 2, 5])).error.message, /begins with block/)
    await node.stop()
  }
  assert.ok(answers[0].length > 0)
  assert.deepEqual(answers[1], answers[0])
})

test('an archive of states goes without old blocks', async () => {
  const data = path.join(folder, 'archive')
  done(run('import', '--data', data, '--genesis', genesis, '--state', 'archive', '--history', '128', '--address-index',
    straightFile, restFile))
  done(verify(data))
  const whole = await serve(full, '--state', '8')
  const node = await serve(data, '--state', 'archive', '--history', '128')
  try {
    const { miner } = await whole.rpc('eth_getHeaderByNumber', '0x64')
    const rich = '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266'
    const first = await node.rpc('eth_getBalance', rich, '0x0')
    assert.ok(BigInt(await node.rpc('eth_getBalance', rich, '0x384')) < BigInt(first))
    assert.ok(BigInt(await node.rpc('eth_getBalance', miner, '0x64')) >= 0n)
    // NUMBER, and the hash of the block before: PUSH1 1 NUMBER SUB BLOCKHASH PUSH0 MSTORE PUSH1 32 PUSH0 RETURN
    const code = { [rich]: { code: '0x60014303405f5260205ff3' } }
    assert.equal(await node.rpc('eth_call', { to: rich }, '0x64', code),
      (await node.rpc('eth_getHeaderByNumber', '0x63')).hash)
    assert.equal((await request(node.url, 'debug_traceBlockByNumber', ['0x64'])).error.code, 4444)
    const begins = Number((await node.rpc('eth_capabilities')).blocks.oldestBlock)
    await node.rpc('debug_traceBlockByNumber', hex(begins)) // on the state after a pruned block
    const nonce = await request(node.url, 'eth_getTransactionBySenderAndNonce', [rich, '0x1'])
    assert.equal(nonce.error?.code, 4444)
  } finally {
    await whole.stop()
    await node.stop()
  }
})

test('exports begin where history does, and what is exported imports', () => {
  const out = path.join(folder, 'out.rlp')
  const refused = run('export', '--data', pruned, out)
  assert.equal(refused.status, 1)
  assert.match(refused.stderr, new RegExp(`blocks before ${oldest} are pruned: --from ${oldest}`))
  assert.equal(run('export', '--data', pruned, '--from', `${oldest - 1}`, out).status, 1)
  assert.match(run('export', '--data', pruned, '--era1', path.join(folder, 'era1')).stderr, /are pruned/)
  done(run('export', '--data', pruned, '--from', `${oldest}`, out))
  const same = path.join(folder, 'same.rlp')
  done(run('export', '--data', full, '--from', `${oldest}`, same))
  assert.ok(fs.readFileSync(out).equals(fs.readFileSync(same)))
})

test('a snapshot of a pruned folder makes a pruned folder', () => {
  const [file, again, copy] = ['one.snapshot', 'two.snapshot', 'copy'].map((name) => path.join(folder, name))
  const words = new RegExp(`of blocks before ${oldest} there are headers only`)
  assert.match(done(run('export', '--data', pruned, '--snapshot', file)).stdout, words)
  assert.match(done(run('import', '--data', copy, '--genesis', genesis, '--snapshot', file)).stdout, words)
  assert.deepEqual(filesOf(copy), ['000000000000.headers'])
  done(verify(copy))
  done(run('export', '--data', copy, '--snapshot', again))
  assert.ok(fs.readFileSync(again).equals(fs.readFileSync(file)))
})

test('damage to what is left is named', () => {
  const data = path.join(folder, 'damaged')
  fs.cpSync(pruned, data, { recursive: true })
  const file = path.join(data, 'segments', '000000000000.headers')
  const bytes = fs.readFileSync(file)
  bytes[bytes.length >> 1] ^= 1
  fs.writeFileSync(file, bytes)
  const damaged = verify(data)
  assert.equal(damaged.status, 1)
  assert.match(damaged.stderr, /000000000000\.headers/)
  fs.rmSync(file)
  assert.match(verify(data).stderr, /000000000000\.headers/)
})

test('db compact gives back the room, and pruning goes no further than it should', () => {
  const data = path.join(folder, 'small')
  fs.cpSync(full, data, { recursive: true })
  const size = () => fs.statSync(path.join(data, 'chain', 'data.mdb')).size
  done(importInto(data, bounded, restFile))
  const before = size()
  done(run('db', 'compact', '--data', data))
  assert.ok(size() < before)
  done(verify(data))
  // More asked for than there is does not bring back anything; nor is more taken.
  const more = done(importInto(data, ['--history', '500'], restFile))
  assert.match(more.stdout, new RegExp(`of blocks before ${oldest} there`))
  assert.match(done(importInto(data, [], restFile)).stdout, new RegExp(`of blocks before ${oldest} there`))
  done(verify(data))
})

test('a development node with a folder keeps its last blocks whole', async (t) => {
  const data = path.join(folder, 'dev')
  let node = await startNode(['--data', data, '--history', '16'])
  t.after(() => node.stop())
  await node.rpc('eth_sendTransaction', { from: addresses[0].toLowerCase(), to: addresses[1].toLowerCase(), value: '0x1' })
  await node.rpc('hardhat_mine', hex(1099))
  const moment = await node.rpc('evm_snapshot')
  await node.rpc('hardhat_mine', '0x3')
  await node.stop()
  node = await startNode(['--data', data, '--history', '16'])
  assert.equal(Number(await node.rpc('eth_blockNumber')), 1103)
  assert.equal((await node.rpc('eth_getBlockByNumber', 'earliest', false)).number, hex(1103 - 16 - 8))
  assert.equal((await request(node.url, 'eth_getBlockByNumber', ['0x1', false])).error.code, 4444)
  assert.ok(await node.rpc('eth_getHeaderByNumber', '0x1'))
  assert.match((await request(node.url, 'debug_setHead', [hex(1000)])).error.message, /only the last 16 blocks can be taken back/)
  await node.rpc('debug_setHead', hex(1090))
  assert.equal(await node.rpc('evm_revert', moment), false)
  await node.rpc('hardhat_mine', '0x2')
  assert.equal((await node.rpc('eth_getBlockByNumber', 'earliest', false)).number, hex(1103 - 16 - 8))
  await node.stop()
  done(verify(data))
  assert.deepEqual(filesOf(data), ['000000000000.headers'])
  for (const words of [['--history', 'some'], ['--history', '8', '--state', '9'], ['--state', '0']])
    assert.equal(spawnSync(path.join(path.dirname(nodeBinary), 'ashlar'), ['dev', '--data', data, ...words], { timeout: 5000 }).status, 2)
})

test('what --history cannot mean is refused with words', () => {
  const none = path.join(folder, 'none')
  for (const word of ['0', '4294967296', 'all', '-1', '']) {
    const refused = importInto(none, [`--history=${word}`], restFile)
    assert.equal(refused.status, 2, refused.stderr)
    assert.match(refused.stderr, /--history is full, or 1 to 4294967295/)
  }
  const refused = importInto(none, ['--history', '7'], restFile)
  assert.equal(refused.status, 2)
  assert.match(refused.stderr, /--history 7 is less than the 8 blocks whose states are kept/)
})

// Where each block of a file begins, and where the last one ends.
function bounds(bytes) {
  const found = [0]
  while (found.at(-1) < bytes.length) {
    const at = found.at(-1)
    const digits = bytes[at] - 0xf7
    found.push(at + 1 + digits + bytes.readUIntBE(at + 1, digits))
  }
  return found
}

test('a file that begins anywhere in what was imported is imported again, also in a branch that is forgotten', () => {
  const bytes = fs.readFileSync(restFile)
  const found = bounds(bytes)
  const rest = order.slice(straight)
  const tail = path.join(folder, 'tail.rlp')
  const head = Math.max(...rest.map(({ number }) => number))
  let forgotten = 0
  for (const [data, words] of [[full, []], [pruned, bounded]])
    for (let first = 0; first < rest.length; first += first < 40 ? 1 : 9) {
      fs.writeFileSync(tail, bytes.subarray(found[first]))
      const { stdout } = done(importInto(data, words, tail))
      const known = Number(/^0 blocks imported, (\d+) known before/.exec(stdout)[1])
      const passed = Number(/^(\d+) blocks of branches left long ago passed over$/m.exec(stdout)?.[1] ?? 0)
      assert.equal(known + passed, rest.length - first)
      assert.ok(stdout.includes(`, ${rest.at(-1).hash}`))
      forgotten += passed > 0 && rest[first].number < head - states
    }
  assert.ok(forgotten > 4, `${forgotten}`)
  for (const data of [full, pruned]) done(verify(data))
})

test('a file whose first block has no parent in the folder is refused by number and hash', () => {
  const bytes = fs.readFileSync(straightFile)
  const found = bounds(bytes)
  const gap = path.join(folder, 'gap.rlp')
  fs.writeFileSync(gap, Buffer.concat([bytes.subarray(found[10]), fs.readFileSync(restFile)]))
  const data = path.join(folder, 'gap')
  const refused = importInto(data, [], gap)
  assert.equal(refused.status, 1)
  const words = `block 11, ${order[10].hash}, was refused: its parent, block 10, ${order[9].hash}, is not in the folder`
  assert.ok(refused.stderr.includes(words), refused.stderr)
  // Nor does one of another chain pass because all its blocks are older than what is kept.
  const other = path.join(folder, 'other.rlp')
  const changed = Buffer.from(bytes.subarray(found[10], found[11]))
  const parent = changed.indexOf(Buffer.from(order[9].hash.slice(2), 'hex'))
  changed[parent] ^= 1
  fs.writeFileSync(other, changed)
  for (const [data, words] of [[full, []], [pruned, bounded]]) {
    const answer = importInto(data, words, other)
    assert.equal(answer.status, 1)
    assert.match(answer.stderr, /block 11, 0x[0-9a-f]{64}, was refused: its parent, block 10, 0x[0-9a-f]{64}, is not/)
  }
})

test('a branch that leaves the chain before the oldest state is refused with that number', () => {
  const data = path.join(folder, 'one-state')
  const bytes = fs.readFileSync(restFile)
  const found = bounds(bytes)
  const rest = order.slice(straight)
  // The first blocks in a row, then a branch that leaves them two blocks before their last and goes further.
  const goesBack = (from) => rest.findIndex(({ number }, i) => i > from && number <= rest[i - 1].number)
  const back = goesBack(0)
  const head = rest[back - 1]
  const branchEnd = goesBack(back)
  assert.ok(rest[back].number === head.number - 1 && rest[branchEnd - 1].number >= head.number)
  const line = path.join(folder, 'line.rlp')
  const branch = path.join(folder, 'branch.rlp')
  fs.writeFileSync(line, bytes.subarray(0, found[back]))
  fs.writeFileSync(branch, bytes.subarray(found[back], found[branchEnd]))
  const keepOne = (...files) => run('import', '--data', data, '--genesis', genesis, '--state', '1', ...files)
  done(keepOne(straightFile, line))
  const answer = keepOne(branch)
  assert.equal(answer.status, 1, answer.stdout)
  assert.match(answer.stderr, new RegExp(`its branch leaves the chain before block ${head.number - 1}, the oldest`))
  assert.ok(answer.stdout.includes(`head: block ${head.number}, ${head.hash}`))
  assert.match(done(keepOne(line)).stdout, new RegExp(`^0 blocks imported, ${back} known before`))
})
