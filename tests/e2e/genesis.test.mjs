// `ashlar-node genesis check`: every mistake of a file with its place, or what the file makes.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { root } from '../../scripts/solc.mjs'

const binary = path.join(process.env.ASHLAR_BIN ?? path.join(root, 'build', 'bin'), 'ashlar-node')
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'ashlar-genesis-'))
after(() => fs.rmSync(folder, { recursive: true }))

function check(text) {
  const file = path.join(folder, 'genesis.json')
  fs.writeFileSync(file, text)
  const { status, stdout } = spawnSync(binary, ['genesis', 'check', file], { encoding: 'utf8' })
  return { status, text: stdout.replaceAll(file, 'FILE') }
}

const alloc = {
  '0000000000000000000000000000000000000000': { balance: '1' },
  cf49fda3be353c69b41ed96333cd24302da4556f: { balance: '0x123450000000000000000' },
}
const config = {
  chainId: 7, homesteadBlock: 0, eip150Block: 0, eip155Block: 0, eip158Block: 0, byzantiumBlock: 0,
  constantinopleBlock: 0, petersburgBlock: 0, istanbulBlock: 0, berlinBlock: 0, londonBlock: 0,
  terminalTotalDifficulty: 0, shanghaiTime: 0, cancunTime: 0,
  blobSchedule: { cancun: { target: 3, max: 6, baseFeeUpdateFraction: 3338477 } },
}
const good = { config, alloc, gasLimit: '0x1c9c380', difficulty: '0x0', timestamp: '0x1234' }

test('a good file is answered with hash, root, fork id and forks', () => {
  const { status, text } = check(JSON.stringify(good))
  assert.equal(status, 0, text)
  assert.match(text, /^genesis hash +0x[0-9a-f]{64}$/m)
  assert.match(text, /^state root +0x[0-9a-f]{64}$/m)
  assert.match(text, /^fork id +0x[0-9a-f]{8}, next 0$/m)
  assert.match(text, /^ {2}cancun +time 0: target 3, max 6, fraction 3338477$/m)
})


test('every mistake is named with line, column and reason', () => {
  const bad = structuredClone(good)
  bad.alocc = {}
  bad.gasLimit = 4000
  bad.config.osakaTime = 5
  bad.alloc['0xCF49fda3be353c69b41ed96333cd24302da4556f'] = { balance: '0xzz' }
  const { status, text } = check(JSON.stringify(bad, null, 2))
  assert.equal(status, 1)
  assert.match(text, /^FILE:\d+:3: mistake: alocc: is not a key known here; did you mean "alloc"\?$/m)
  assert.match(text, /^FILE:\d+:15: mistake: gasLimit: no block may have a gas limit below 5000$/m)
  assert.match(text, /^FILE:\d+:18: mistake: config.osakaTime: comes at time 5, but pragueTime,/m)
  assert.match(text, /^FILE:\d+:18: mistake: alloc.0xCF49fda3[0-9a-f]+.balance: "0xzz" is not a decimal/m)
  assert.match(text, /^4 mistakes$/m)
})

test('a file that is not JSON is refused with the place', () => {
  const { status, text } = check('{"config": {},\n "alloc" }')
  assert.equal(status, 1)
  assert.match(text, /^FILE:2:\d+: mistake: /)
})

test('a file with mistakes leaves no folder behind', () => {
  const file = path.join(folder, 'bad.json'), data = path.join(folder, 'data')
  fs.writeFileSync(file, JSON.stringify({ ...good, gasLimit: 4000 }))
  const { status, stderr } = spawnSync(binary, ['init', '--data', data, '--genesis', file], { encoding: 'utf8' })
  assert.equal(status, 1)
  assert.match(stderr, /gasLimit: no block may have a gas limit below 5000/)
  assert.ok(!fs.existsSync(data))
})

test('a file that takes more than --memory is refused with what it takes; init begins the chain', () => {
  const file = path.join(folder, 'large.json'), data = path.join(folder, 'large')
  const alloc = Object.fromEntries(Array.from({ length: 50000 }, (_, i) => [(i + 1000).toString(16).padStart(40, '0'), { balance: '1' }]))
  fs.writeFileSync(file, JSON.stringify({ ...good, alloc }))
  const begin = (command, ...words) =>
    spawnSync(binary, [command, '--data', data, ...words], { encoding: 'utf8', input: '' })
  const refused = begin('import', '--memory', '64M', '--genesis', file, '-')
  assert.equal(refused.status, 1)
  assert.match(refused.stderr, /large.json: a genesis file as large as this takes up to 1\d\dM of memory: --memory has/)
  assert.ok(!fs.existsSync(data))
  assert.equal(begin('init', '--genesis', file).status, 0)
  const went = begin('import', '--memory', '64M', '-')
  assert.equal(went.status, 0, went.stderr)
})
