// What Otterscan asks: on a chain of transactions that do everything inside, the same as anvil answers on the same
// transactions where anvil is exact; from a store with --address-index the same as from memory, through reorganisations,
// restarts and kills.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { ethers } from 'ethers'
import { writeBranches } from '../torture/branches.mjs'
import { alice, bob, explored, face, flashed, friend, hashOf, heir, made, madeMore, mortal, nonces, other, play,
  salted, script, startBoth, token } from './explored.mjs'
import { addresses, isAnvil, nodeBinary, serveFolder, startNode } from './node.mjs'

const skip = isAnvil || process.env.ASHLAR_E2E_RPC !== undefined
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'ashlar-otterscan-'))
const run = (...words) => spawnSync(nodeBinary, words, { encoding: 'utf8' })
const durable = () => new Promise((resolve) => setTimeout(resolve, 900)) // half a second after a change, and some
let node, peer, stop
before(async () => {
  if (!skip) ({ node, peer, stop } = await startBoth())
})
after(async () => {
  await stop?.()
  fs.rmSync(folder, { recursive: true, force: true })
})

// A node that ends with its test, however that ends.
async function start(t, ...flags) {
  const started = await startNode(flags)
  t.after(() => started.stop())
  return started
}

const names = (page) => page.txs.map((tx) => script.find(({ hash }) => hash === tx.hash).name)
const both = async (method, ...params) => Promise.all([node, peer].filter(Boolean).map((at) => at.rpc(method, ...params)))
const same = (answers) => answers.slice(1).forEach((answer) => assert.deepEqual(answer, answers[0]))

test('the level, headers and code', { skip }, async () => {
  same(await both('ots_getApiLevel'))
  assert.equal(await node.rpc('ots_getApiLevel'), 8)
  for (const at of ['latest', 3, '0x3', 'earliest']) {
    const header = await node.rpc('erigon_getHeaderByNumber', at)
    const block = await node.rpc('eth_getBlockByNumber', typeof at === 'number' ? ethers.toQuantity(at) : at, false)
    for (const [key, value] of Object.entries(header)) assert.deepEqual(value, block[key], key)
    assert.equal(header.transactions, undefined)
  }
  assert.equal(await node.rpc('erigon_getHeaderByNumber', 99), null)
  for (const [address, at] of [[explored, 'latest'], [explored, '0x0'], [made, 'latest'], [mortal, 'latest'], [flashed, 'latest'], [alice.address, 'latest']])
    same(await both('ots_hasCode', address, at))
  assert.equal(await node.rpc('ots_hasCode', explored, 1), true)
  assert.equal(await node.rpc('ots_hasCode', explored, 0), false)
})

// A tree as callTracer gives it, as a list without precompiles.
function flatten(node, depth = 0) {
  const isCall = !node.type.startsWith('CREATE') && node.type !== 'SELFDESTRUCT'
  if (depth && isCall && BigInt(node.to) < 0x20n) return []
  const value = ['STATICCALL', 'DELEGATECALL'].includes(node.type) ? null : node.value
  const own = { type: node.type, depth, from: node.from, to: node.to, value, input: node.input ?? '0x', output: node.output ?? '0x' }
  return [own, ...(node.calls ?? []).flatMap((call) => flatten(call, depth + 1))]
}

// anvil's ots_traceTransaction leaves out what is no call, and shows precompiles; its callTracer shows everything.
test('traces name every call, as anvil sees them', { skip }, async () => {
  for (const { name, hash } of script) {
    const ours = await node.rpc('ots_traceTransaction', hash)
    assert.deepEqual(ours, await node.rpc('debug_traceTransaction', hash, { tracer: 'callTracer' }).then((tree) =>
      flatten(tree).map((entry, i) => ({ ...entry, to: entry.to ?? ours[i]?.to }))), name)
    if (!peer) continue
    const tree = await peer.rpc('debug_traceTransaction', hash, { tracer: 'callTracer' })
    assert.deepEqual(ours, flatten(tree).map((entry, i) => ({ ...entry, to: entry.to ?? ours[i]?.to })), name)
    const calls = (list) => list.filter(({ type, to }) => type.endsWith('CALL') && BigInt(to) >= 0x20n)
      .map((entry) => ({ ...entry, value: BigInt(entry.value ?? 0) }))
    assert.deepEqual(calls(ours), calls(await peer.rpc('ots_traceTransaction', hash)), name)
  }
  const trace = await node.rpc('ots_traceTransaction', hashOf('look'))
  assert.deepEqual(trace.map(({ type, depth, value }) => [type, depth, value]), [
    ['CALL', 0, '0x0'], ['STATICCALL', 1, null], ['DELEGATECALL', 1, null], ['CALL', 1, '0x0']])
})

test('internal operations', { skip }, async () => {
  const kinds = { transfer: 0, end: 1, create: 2, create2: 3 }
  const operations = async (name) => (await node.rpc('ots_getInternalOperations', hashOf(name))).map(({ type, from, to, value }) => [type, from, to, value])
  assert.deepEqual(await operations('plain'), [])
  assert.deepEqual(await operations('deploy'), [])
  assert.deepEqual(await operations('make'), [[kinds.create, explored, made, '0x5']])
  assert.deepEqual(await operations('make salted'), [[kinds.create2, explored, salted, '0x6']])
  assert.deepEqual(await operations('pay'), [
    [kinds.transfer, explored, friend, '0x1'], [kinds.transfer, explored, other, '0x3'], [kinds.transfer, explored, other, '0x2']])
  assert.deepEqual(await operations('end'), [[kinds.end, mortal, heir, '0x5']])
  assert.deepEqual(await operations('flash'), [
    [kinds.transfer, explored, explored, '0x3'], [kinds.create, explored, flashed, '0x3'], [kinds.end, flashed, heir, '0x3']])
  if (!peer) return
  for (const { name, hash } of script) { // anvil lists the transaction itself among them
    const [ours, theirs] = await both('ots_getInternalOperations', hash)
    const tx = await node.rpc('eth_getTransactionByHash', hash)
    assert.deepEqual(ours, theirs.slice(tx.to === null || BigInt(tx.value) > 0n ? 1 : 0), name)
  }
})

test('errors of transactions', { skip }, async () => {
  for (const { hash } of script) same((await both('ots_getTransactionError', hash)).map((answer) => answer ?? '0x'))
  assert.equal(await node.rpc('ots_getTransactionError', hashOf('sour')), face.encodeErrorResult('Sour', [9n]))
})

test('blocks and their pages', { skip }, async () => {
  const moment = await node.rpc('evm_snapshot')
  await node.rpc('evm_setAutomine', false)
  const sent = []
  for (let i = 0; i < 5; i++)
    sent.push(await node.rpc('eth_sendTransaction', { from: addresses[2], to: friend, value: '0x1', data: '0x0102030405' }))
  await node.rpc('evm_mine')
  const block = await node.rpc('eth_getBlockByNumber', 'latest', false)
  const number = Number(block.number)
  const details = await node.rpc('ots_getBlockDetails', number)
  assert.deepEqual(await node.rpc('ots_getBlockDetailsByHash', block.hash), details)
  assert.deepEqual(details.issuance, { blockReward: '0x0', uncleReward: '0x0', issuance: '0x0' })
  const receipts = await node.rpc('eth_getBlockReceipts', block.number)
  const fees = receipts.reduce((sum, { gasUsed, effectiveGasPrice }) => sum + BigInt(gasUsed) * BigInt(effectiveGasPrice), 0n)
  assert.equal(BigInt(details.totalFees), fees)
  const { transactions, logsBloom, ...rest } = block
  assert.deepEqual(details.block, { ...rest, logsBloom: null, totalDifficulty: '0x0', transactionCount: 5 })

  const pages = [[0, 2, 3, 5], [1, 2, 1, 3], [2, 2, 0, 1], [3, 2, 0, 0], [99, 2, 0, 0], [0, 25, 0, 5], [2 ** 40, 100, 0, 0]]
  for (const [page, size, from, to] of pages) {
    const { fullblock, receipts: shown } = await node.rpc('ots_getBlockTransactions', number, page, size)
    assert.deepEqual(fullblock.transactions.map((tx) => tx.hash), transactions.slice(from, to), `page ${page}`)
    for (const tx of fullblock.transactions) assert.equal(tx.input, '0x01020304')
    assert.deepEqual(shown, receipts.slice(from, to).map((receipt) => ({ ...receipt, logs: null, logsBloom: null })))
    assert.equal(fullblock.transactionCount, 5)
  }
  assert.equal(await node.rpc('ots_getBlockTransactions', 12345, 0, 25), null)
  assert.equal(await node.rpc('ots_getBlockDetails', 12345), null)
  assert.equal(await node.rpc('ots_getBlockDetailsByHash', '0x' + '11'.repeat(32)), null)
  for (const size of [0, 101, 2 ** 40]) await assert.rejects(node.rpc('ots_getBlockTransactions', number, 0, size), /max allowed page size: 100/)

  const all = await node.rpc('ots_searchTransactionsBefore', addresses[2], 0, 2) // what a block has is shown to its end
  assert.deepEqual(all.txs.map((tx) => tx.hash), [...sent].reverse())
  assert.deepEqual([all.firstPage, all.lastPage], [true, true])
  await node.rpc('evm_setAutomine', true)
  await node.rpc('evm_revert', moment)
  assert.deepEqual((await node.rpc('ots_searchTransactionsBefore', addresses[2], 0, 2)).txs, [])
})

test('what blocks issued before the merge', { skip }, async (t) => {
  const old = await start(t, '--fork', 'london')
  await old.rpc('anvil_setCoinbase', heir)
  await old.rpc('evm_mine')
  const reward = '0x1bc16d674ec80000' // EIP-1234
  const { issuance, block } = await old.rpc('ots_getBlockDetails', 1)
  assert.deepEqual(issuance, { blockReward: reward, uncleReward: '0x0', issuance: reward })
  assert.equal(await old.rpc('eth_getBalance', heir, '0x1'), reward)
  assert.ok(BigInt(block.difficulty) > 0n && BigInt(block.totalDifficulty) >= BigInt(block.difficulty))
  assert.equal((await old.rpc('ots_getBlockDetails', 0)).issuance.issuance, '0x0')
})

// The newest first; each has a block of its own.
const appearances = () => ({
  [friend]: ['plain', 'pay'],
  [other]: ['pay'],
  [heir]: ['flash', 'end'],
  [token]: ['transfer', 'token'],
  [made]: ['look', 'make'],
  [madeMore]: ['make more'],
  [salted]: ['make salted again', 'make salted'],
  [mortal]: ['end', 'make mortal'],
  [flashed]: ['flash'],
  [explored]: script.map(({ name }) => name).filter((name) => !['token', 'transfer', 'plain'].includes(name)).reverse(),
  [bob.address]: ['plain', 'end', 'make salted again', 'make more'],
  '0x0000000000000000000000000000000000000002': ['look'],
  '0x00000000000000000000000000000000000000ff': [],
})

// All that is found by an address, page by page, both ways.
async function checkSearches(at) {
  for (const [address, wanted] of Object.entries(appearances())) {
    for (const size of [1, 2, 25]) {
      const found = []
      let page
      for (let block = 0; !page?.lastPage; block = Number(page.txs.at(-1).blockNumber)) {
        page = await at.rpc('ots_searchTransactionsBefore', address, block, size)
        assert.equal(page.firstPage, block === 0)
        assert.equal(page.txs.length, page.receipts.length)
        assert.ok(page.txs.length <= size)
        found.push(...names(page))
        if (!page.txs.length) break
      }
      assert.deepEqual(found, wanted, `${address} by ${size}`)
      const forward = []
      page = undefined
      for (let block = 0; !page?.firstPage; block = Number(page.txs[0].blockNumber)) {
        page = await at.rpc('ots_searchTransactionsAfter', address, block, size)
        assert.equal(page.lastPage, block === 0)
        forward.unshift(...names(page))
        if (!page.txs.length) break
      }
      assert.deepEqual(forward, wanted, `${address} forward by ${size}`)
    }
  }
  const creators = { [explored]: ['deploy', alice.address], [token]: ['token', alice.address], [made]: ['make', explored],
    [madeMore]: ['make more', explored], [salted]: ['make salted', explored], [mortal]: ['make mortal', explored] }
  for (const [address, [name, creator]] of Object.entries(creators))
    assert.deepEqual(await at.rpc('ots_getContractCreator', address), { hash: hashOf(name), creator: creator.toLowerCase() }, address)
  for (const address of [flashed, friend, alice.address, '0x0000f90827f1c53a10cb7a02335b175320002935'])
    assert.equal(await at.rpc('ots_getContractCreator', address), null, address)
  for (const [who, from] of [['alice', alice.address], ['bob', bob.address]]) {
    for (let nonce = 0; nonce < nonces[who]; nonce++) {
      const hash = await at.rpc('ots_getTransactionBySenderAndNonce', from, nonce)
      const tx = await at.rpc('eth_getTransactionByHash', hash)
      assert.deepEqual([tx.from, Number(tx.nonce)], [from.toLowerCase(), nonce])
    }
    assert.equal(await at.rpc('ots_getTransactionBySenderAndNonce', from, nonces[who]), null)
  }
  assert.equal(await at.rpc('ots_getTransactionBySenderAndNonce', explored, 1), null)
}

test('searches, creators and nonces, from memory', { skip }, async () => {
  await checkSearches(node)
  const page = await node.rpc('ots_searchTransactionsBefore', explored, 9999, 2)
  assert.deepEqual([page.firstPage, page.lastPage], [true, false])
  const [tx, receipt] = [page.txs[0], page.receipts[0]]
  assert.deepEqual(tx, await node.rpc('eth_getTransactionByHash', tx.hash))
  const { timestamp, ...rest } = receipt
  assert.deepEqual(rest, await node.rpc('eth_getTransactionReceipt', tx.hash))
  assert.equal(timestamp, Number(tx.blockTimestamp))
  const none = await node.rpc('ots_searchTransactionsAfter', explored, Number.MAX_SAFE_INTEGER, 25)
  assert.deepEqual([none.txs, none.firstPage, none.lastPage], [[], true, false])
  for (const bad of [0, 101]) await assert.rejects(node.rpc('ots_searchTransactionsBefore', explored, 0, bad), /max allowed page size: 100/)
  if (!peer) return
  for (const address of Object.keys(appearances())) {
    const ours = await node.rpc('ots_searchTransactionsBefore', address, 0, 25)
    const theirs = await peer.rpc('ots_searchTransactionsBefore', address, 0, 25)
    const seen = ours.txs.map(({ hash }) => hash)
    for (const { hash } of theirs.txs) assert.ok(seen.includes(hash), address) // it does not look at creations
    if ([friend, other, bob.address].includes(address)) assert.deepEqual(theirs.txs.map(({ hash }) => hash), seen, address)
  }
  for (const address of [explored, token, made, madeMore, salted, mortal, friend]) same(await both('ots_getContractCreator', address))
  for (let nonce = 0; nonce <= nonces.alice; nonce++) same(await both('ots_getTransactionBySenderAndNonce', alice.address, nonce))
})

const verify = (data) => {
  const done = run('db', 'verify', '--data', data)
  assert.equal(done.status, 0, done.stderr)
  return run('db', 'stats', '--data', data).stdout
}

test('the same from a store, through unwinding, restarts and a kill', { skip }, async (t) => {
  const data = path.join(folder, 'store')
  let stored = await start(t, '--data', data, '--address-index')
  const moment = await stored.rpc('evm_snapshot')
  await play(stored)
  await checkSearches(stored)
  await stored.rpc('evm_revert', moment)
  for (const address of Object.keys(appearances()))
    assert.deepEqual((await stored.rpc('ots_searchTransactionsBefore', address, 0, 25)).txs, [])
  assert.equal(await stored.stop(), 0)
  assert.match(verify(data), /^addresses +0 /m)
  stored = await start(t, '--data', data) // what it was made for stays
  await play(stored)
  await checkSearches(stored)
  await durable()
  process.kill(stored.pid, 'SIGKILL')
  await stored.stop()
  assert.match(verify(data), /^addresses +[1-9]/m)
  stored = await start(t, '--data', data)
  await checkSearches(stored)
  assert.equal(await stored.stop(), 0)
  const [snapshot, copy] = ['addresses.snapshot', 'copy'].map((name) => path.join(folder, name))
  assert.equal(run('export', '--data', data, '--snapshot', snapshot).status, 0)
  assert.equal(run('import', '--data', copy, '--snapshot', snapshot).status, 0)
  stored = await start(t, '--data', copy)
  await checkSearches(stored)
  assert.equal(await stored.stop(), 0)
})

test('kills at any moment leave an index that fits its blocks', { skip }, async (t) => {
  const data = path.join(folder, 'killed')
  for (let times = 0; times < 6; times++) {
    const stored = await start(t, '--data', data, '--address-index')
    const end = Date.now() + 500 + times * 160
    while (Date.now() < end) {
      const moment = await stored.rpc('evm_snapshot')
      for (let i = 0; i < 5; i++) await stored.rpc('eth_sendTransaction', { from: addresses[i % 4], to: friend, value: '0x1' })
      if (Date.now() % 2) await stored.rpc('evm_revert', moment)
    }
    process.kill(stored.pid, 'SIGKILL')
    await stored.stop()
    verify(data)
  }
})

test('without an index the answer says what to do; made late, it says where it begins', { skip }, async (t) => {
  const data = path.join(folder, 'late')
  let stored = await start(t, '--data', data, '--state', '4')
  await play(stored)
  for (const [method, ...params] of [['ots_searchTransactionsBefore', explored, 0, 25], ['ots_searchTransactionsAfter', explored, 0, 25], ['ots_getContractCreator', explored], ['ots_getTransactionBySenderAndNonce', alice.address, 0]])
    await assert.rejects(stored.rpc(method, ...params), /there is no index by address: --address-index keeps one/)
  assert.equal(await stored.rpc('ots_getTransactionBySenderAndNonce', alice.address, 99), null)
  assert.equal(await stored.stop(), 0)
  stored = await start(t, '--data', data, '--state', '4', '--address-index')
  const from = script.length - 4 + 1
  const page = await stored.rpc('ots_searchTransactionsBefore', explored, 0, 25)
  const wanted = appearances()[explored].filter((name) => script.findIndex((entry) => entry.name === name) + 1 >= from)
  assert.deepEqual([names(page), page.firstPage, page.lastPage], [wanted, true, false])
  await assert.rejects(stored.rpc('ots_searchTransactionsBefore', explored, from, 25), new RegExp(`begins with block ${from}`))
  await assert.rejects(stored.rpc('ots_searchTransactionsAfter', explored, 1, 25), new RegExp(`begins with block ${from}`))
  await assert.rejects(stored.rpc('ots_getContractCreator', token), new RegExp(`not found since block ${from}`))
  await assert.rejects(stored.rpc('ots_getTransactionBySenderAndNonce', alice.address, 0), new RegExp(`not found since block ${from}`))
  assert.equal(await stored.stop(), 0)
  verify(data)
})

test('an archive is indexed whole, however late', { skip }, async (t) => {
  const data = path.join(folder, 'archive')
  let stored = await start(t, '--data', data, '--state', 'archive')
  await play(stored)
  assert.equal(await stored.stop(), 0)
  stored = await start(t, '--data', data, '--state', '4', '--address-index')
  await checkSearches(stored)
  assert.equal(await stored.stop(), 0)
  verify(data)
})

// A file of blocks with branches that become the chain and leave it again.
test('an import with reorganisations leaves the index of its last chain', { skip }, async () => {
  const data = path.join(folder, 'branches')
  await writeBranches(folder, { blocks: 60, seed: 31 })
  const words = ['--data', data, '--genesis', path.join(folder, 'genesis.json'), '--address-index']
  const done = run('import', ...words, path.join(folder, 'chain.rlp'))
  assert.equal(done.status, 0, done.stderr)
  verify(data)
  const { rpc, stop } = await serveFolder(data)
  const wanted = new Map()
  for (let n = Number(await rpc('eth_blockNumber')); n > 0; n--) {
    const block = await rpc('eth_getBlockByNumber', ethers.toQuantity(n), true)
    for (const tx of block.transactions.reverse())
      for (const address of new Set([tx.from, tx.to ?? ethers.getCreateAddress({ from: tx.from, nonce: Number(tx.nonce) }).toLowerCase()]))
        wanted.set(address, [...(wanted.get(address) ?? []), tx.hash])
  }
  assert.ok(wanted.size > 10)
  for (const [address, hashes] of wanted) {
    const found = []
    let page
    for (let block = 0; !page?.lastPage; block = Number(page.txs.at(-1).blockNumber)) {
      page = await rpc('ots_searchTransactionsBefore', address, block, 10)
      found.push(...page.txs.map(({ hash }) => hash))
    }
    assert.deepEqual(found, hashes, address)
  }
  await stop()
})
