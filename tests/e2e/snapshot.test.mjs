// A data folder goes into a snapshot and comes out as another one; what is wrong is refused and leaves nothing.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { root } from '../../scripts/solc.mjs'
import { writeBranches } from '../torture/branches.mjs'

const binary = path.join(process.env.ASHLAR_BIN ?? path.join(root, 'build', 'bin'), 'ashlar-node')
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'ashlar-snapshot-'))
const genesis = path.join(folder, 'genesis.json')
const data = path.join(folder, 'data')
const made = path.join(folder, 'made')
const snapshot = path.join(folder, 'one.snapshot')
const again = path.join(folder, 'two.snapshot')
const run = (...words) => spawnSync(binary, words, { encoding: 'utf8' })
let order

before(async () => {
  order = await writeBranches(folder, { blocks: 40, seed: 7 })
  const done = run('import', '--data', data, '--genesis', genesis, path.join(folder, 'chain.rlp'))
  assert.equal(done.status, 0, done.stderr)
  const written = run('export', '--data', data, '--snapshot', snapshot)
  assert.equal(written.status, 0, written.stderr)
  assert.match(written.stdout, new RegExp(`head: block \\d+, ${order.at(-1).hash}`))
})
after(() => fs.rmSync(folder, { recursive: true, force: true }))

function refused(file, words, ...more) {
  const done = run('import', '--data', made, '--snapshot', file, ...more)
  assert.equal(done.status, 1)
  assert.match(done.stderr, words)
  assert.deepEqual([fs.existsSync(made), fs.existsSync(`${made}.part`)], [false, false])
}

test('the folder made of a snapshot verifies, has the same head, and gives the same snapshot', () => {
  const done = run('import', '--data', `${made}/`, '--genesis', genesis, '--snapshot', snapshot)
  assert.equal(done.status, 0, done.stderr)
  assert.match(run('db', 'verify', '--data', made).stdout, new RegExp(order.at(-1).hash))
  assert.equal(run('export', '--data', made, '--snapshot', again).status, 0)
  assert.ok(fs.readFileSync(again).equals(fs.readFileSync(snapshot)))
  assert.match(run('import', '--data', made, '--snapshot', snapshot).stderr, /is there already/)
  const more = run('import', '--data', made, path.join(folder, 'chain.rlp'))
  assert.match(more.stdout, /^0 blocks imported, 40 known before/m)
  fs.rmSync(made, { recursive: true })
})

test('a snapshot that is cut off, changed, newer, or no snapshot is refused and leaves nothing', () => {
  const bytes = fs.readFileSync(snapshot)
  const bad = path.join(folder, 'bad.snapshot')
  const write = (change) => {
    const copy = Buffer.from(bytes)
    fs.writeFileSync(bad, change(copy) ?? copy)
    return bad
  }
  for (const share of [0.1, 0.5, 0.99]) {
    const at = Math.floor(bytes.length * share)
    refused(write((copy) => copy.subarray(0, at)), /cut off/)
    refused(write((copy) => void (copy[at] ^= 4)), /damaged/)
  }
  refused(write((copy) => Buffer.concat([copy, Buffer.from('x')])), /something follows/)
  refused(write((copy) => void copy.writeUInt32BE(2, 16)), /version 2\.(\d+), this program reads 1\.\1:/)
  refused(genesis, /no snapshot/)
  refused(path.join(folder, 'absent'), /cannot open/)
})

test('a snapshot of another chain is refused', () => {
  const other = path.join(folder, 'other.json')
  const spec = JSON.parse(fs.readFileSync(genesis))
  fs.writeFileSync(other, JSON.stringify({ ...spec, extraData: '0x01' }))
  refused(snapshot, /another genesis/, '--genesis', other)
  fs.writeFileSync(other, JSON.stringify({ ...spec, config: { ...spec.config, chainId: 4711 } }))
  refused(snapshot, /the genesis file changes chainId, by which the chain was made/, '--genesis', other)
})

test('there is no snapshot of a folder without a chain', () => {
  const done = run('export', '--data', path.join(folder, 'nothing'), '--snapshot', again)
  assert.equal(done.status, 1)
  assert.match(done.stderr, /there is no folder/)
})
