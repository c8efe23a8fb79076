// Blocks of before the merge go into an era1 file and come back; what is damaged is refused, what is good before it kept.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { root } from '../../scripts/solc.mjs'
import { genesisOf } from '../torture/branches.mjs'
import { addresses, startNode } from './node.mjs'

const binary = path.join(process.env.ASHLAR_BIN ?? path.join(root, 'build', 'bin'), 'ashlar-node')
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'ashlar-era1-'))
const data = path.join(folder, 'data')
const genesis = path.join(folder, 'genesis.json')
const eras = path.join(folder, 'eras')
const run = (...words) => spawnSync(binary, words, { encoding: 'utf8' })
const importInto = (name, file) => run('import', '--data', path.join(folder, name), '--genesis', genesis, file)
const blocks = []
let file

function london(spec) {
  const isFork = ([name]) => name === 'chainId' || name.endsWith('Block')
  const isThere = ([, { balance, code }]) => BigInt(balance) > 0n || code !== '0x'
  return {
    ...spec,
    config: Object.fromEntries(Object.entries(spec.config).filter(isFork)),
    alloc: Object.fromEntries(Object.entries(spec.alloc).filter(isThere)),
  }
}

before(async () => {
  const node = await startNode(['--accounts', '10', '--fork', 'london', '--data', data])
  try {
    fs.writeFileSync(genesis, JSON.stringify(london(await genesisOf(node))))
    for (let i = 0; i < 9; i++)
      await node.rpc('eth_sendTransaction', { from: addresses[0], to: addresses[1], value: '0x1', ...(i % 2 ? { gasPrice: '0x77359400' } : {}) })
    for (let i = 0; i <= 9; i++) blocks.push(await node.rpc('eth_getBlockByNumber', `0x${i.toString(16)}`, false))
  } finally {
    await node.stop()
  }
  const done = run('export', '--data', data, '--era1', eras, '--network', 'test')
  assert.equal(done.status, 0, done.stderr)
  assert.match(done.stderr, /^10 blocks written/m)
  file = path.join(eras, fs.readdirSync(eras)[0])
})
after(() => fs.rmSync(folder, { recursive: true, force: true }))

const sha = (...parts) => createHash('sha256').update(Buffer.concat(parts)).digest()
const little = (number) => Buffer.from(number.toString(16).padStart(64, '0'), 'hex').reverse()

// hash_tree_root of List[(hash, total difficulty), 8192], without a shortcut.
function accumulator() {
  let total = 0n
  let level = blocks.map(({ hash, difficulty }) => sha(Buffer.from(hash.slice(2), 'hex'), little((total += BigInt(difficulty)))))
  while (level.length < 8192) level.push(Buffer.alloc(32))
  while (level.length > 1) level = level.filter((_, i) => i % 2 === 0).map((left, i) => sha(left, level[2 * i + 1]))
  return sha(level[0], little(BigInt(blocks.length)))
}

test('the file is named by its accumulator, and its index leads to the headers', () => {
  const bytes = fs.readFileSync(file)
  const rootHash = accumulator()
  assert.deepEqual(fs.readdirSync(eras), [`test-00000-${rootHash.toString('hex', 0, 4)}.era1`])
  const index = bytes.length - 8 - 16 - 8 * blocks.length
  assert.equal(bytes.toString('hex', 0, 8), '6532000000000000')
  assert.equal(bytes.toString('hex', index - 40, index), `0700200000000000${rootHash.toString('hex')}`)
  for (let i = 0; i < blocks.length; i++) {
    const place = index + Number(bytes.readBigInt64LE(index + 16 + 8 * i))
    assert.equal(bytes.toString('hex', place, place + 2), '0300')
  }
})

test('an import of it has the same head and gives the same file, whatever it is called', () => {
  const other = path.join(folder, 'anything.bin')
  fs.copyFileSync(file, other)
  const done = importInto('second', other)
  assert.equal(done.status, 0, done.stderr)
  assert.match(done.stdout, new RegExp(`^9 blocks imported, 1 known before[^]*head: block 9, ${blocks[9].hash}`, 'm'))
  assert.match(run('db', 'verify', '--data', path.join(folder, 'second')).stdout, /all is right/)
  const again = path.join(folder, 'again')
  assert.equal(run('export', '--data', path.join(folder, 'second'), '--era1', again, '--network', 'test').status, 0)
  assert.ok(fs.readFileSync(path.join(again, path.basename(file))).equals(fs.readFileSync(file)))
})

test('what is cut off or changed is refused with words', () => {
  const bytes = fs.readFileSync(file)
  const bad = path.join(folder, 'bad.era1')
  const index = bytes.length - 8 - 16 - 8 * blocks.length
  const refused = (change, words) => {
    const copy = Buffer.from(bytes)
    fs.writeFileSync(bad, change(copy) ?? copy)
    const done = importInto('third', bad)
    assert.equal(done.status, 1)
    assert.match(done.stderr, words)
  }
  refused((copy) => copy.subarray(0, 1000), /cut off/)
  refused((copy) => void (copy[30] ^= 1), /checksum|unpacked/)
  refused((copy) => void (copy[index - 1] ^= 1), /the accumulator is not that of its blocks/)
  refused((copy) => void (copy[index + 17] ^= 1), /the index of blocks is wrong/)
})

test('blocks of after the merge are not for era1', async () => {
  const later = path.join(folder, 'later')
  const node = await startNode(['--data', later])
  await node.stop()
  const done = run('export', '--data', later, '--era1', path.join(folder, 'none'))
  assert.equal(done.status, 1)
  assert.match(done.stderr, /after the merge/)
})
