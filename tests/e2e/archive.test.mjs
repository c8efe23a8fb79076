// A chain of blocks with reorganisations, kept as an archive: every state of it is what executing from the genesis gives.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { writeBranches } from '../torture/branches.mjs'
import { nodeBinary, serveFolder } from './node.mjs'

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'ashlar-archive-'))
const genesis = path.join(folder, 'genesis.json')
const file = path.join(folder, 'chain.rlp')
const run = (...words) => spawnSync(nodeBinary, words, { encoding: 'utf8' })
const importInto = (data, ...words) => run('import', '--data', data, '--genesis', genesis, ...words, file)

before(() => writeBranches(folder, { blocks: 60, seed: 9 }))
after(() => fs.rmSync(folder, { recursive: true, force: true }))

// All that can be asked of a state, at each block, and each block's traces.
async function statesOf(node, head) {
  const seen = []
  const addresses = new Set()
  for (let n = 0; n <= head; n++) {
    const block = await node.rpc('eth_getBlockByNumber', '0x' + n.toString(16), true)
    addresses.add(block.miner)
    for (const tx of block.transactions) for (const a of [tx.from, tx.to]) if (a) addresses.add(a)
  }
  for (let n = 0; n <= head; n++) {
    const at = '0x' + n.toString(16)
    for (const address of addresses) {
      seen.push(await node.rpc('eth_getBalance', address, at))
      seen.push(await node.rpc('eth_getTransactionCount', address, at))
      seen.push(await node.rpc('eth_getCode', address, at))
      seen.push(await node.rpc('eth_getStorageAt', address, '0x0', at))
      seen.push(await node.rpc('eth_call', { to: address }, at))
    }
    if (n) seen.push(JSON.stringify(await node.rpc('debug_traceBlockByNumber', at, { tracer: 'callTracer' })))
  }
  return seen
}

test('an archive answers at every block as a node that holds every change set', async () => {
  const [all, archive] = ['all', 'archive'].map((name) => path.join(folder, name))
  assert.equal(importInto(all, '--state', '1000').status, 0)
  const imported = importInto(archive, '--state', 'archive')
  assert.equal(imported.status, 0, imported.stderr)
  const verified = run('db', 'verify', '--data', archive)
  assert.equal(verified.status, 0, verified.stderr)
  assert.match(run('db', 'stats', '--data', archive).stdout, /^account_past +[1-9]/m)

  const wide = await serveFolder(all, '--state', '1000')
  const narrow = await serveFolder(archive, '--state', '1') // what the folder was made for stays
  try {
    const head = Number(await wide.rpc('eth_blockNumber'))
    assert.ok(head > 20)
    assert.equal(Number(await narrow.rpc('eth_blockNumber')), head)
    assert.deepEqual(await statesOf(narrow, head), await statesOf(wide, head))
    await assert.rejects(narrow.rpc('eth_getProof', '0x' + '11'.repeat(20), [], '0x1'), /can be read, but not proven/)
  } finally {
    await wide.stop()
    await narrow.stop()
  }
})

test('a snapshot carries the archive', () => {
  const [archive, copy] = ['archive', 'copy'].map((name) => path.join(folder, name))
  const snapshot = path.join(folder, 'snapshot')
  assert.equal(run('export', '--data', archive, '--snapshot', snapshot).status, 0)
  const back = run('import', '--data', copy, '--snapshot', snapshot)
  assert.equal(back.status, 0, back.stderr)
  const past = (data) => run('db', 'stats', '--data', data).stdout.match(/^(account|slot)_past +\d+/gm)
  assert.deepEqual(past(copy), past(archive))
})

test('what --state cannot mean is refused with words', () => {
  for (const word of ['0', '65537', 'everything', '-1', '']) {
    const done = importInto(path.join(folder, 'none'), `--state=${word}`)
    assert.equal(done.status, 2, done.stderr)
    assert.match(done.stderr, /--state is archive, or 1 to 65536/)
  }
})
