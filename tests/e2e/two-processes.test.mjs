// One process at a time has a data folder: every command that opens one, while every other has it. The second says whose
// it is and ends with status 1, changes nothing, and the first goes on as if nobody had asked.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import crypto from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { root } from '../../scripts/solc.mjs'
import { writeBranches } from '../torture/branches.mjs'
import { launch, request, startNode } from './node.mjs'

const programs = process.env.ASHLAR_BIN ?? path.join(root, 'build', 'bin')
const binary = path.join(programs, 'ashlar-node')
const layer = path.join(programs, '..', 'lib', 'faults.so') // make faults
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'ashlar-two-'))
const file = (name) => path.join(folder, name)
const [genesis, chain, imported, developed, snapshot] =
  ['genesis.json', 'chain.rlp', 'imported', 'developed', 'one.snapshot'].map(file)
const run = (words) => spawnSync(binary, words, { encoding: 'utf8', timeout: 10_000, input: '' })

// What each command is told; out is a name that it may write to.
const commands = {
  init: (data) => ['init', '--data', data, '--genesis', genesis],
  run: (data) => ['run', '--data', data, '--genesis', genesis, '--http.port', '0', '--log', 'warn'],
  import: (data) => ['import', '--data', data, '--genesis', genesis, chain],
  export: (data, out) => ['export', '--data', data, out],
  'export --era1': (data, out) => ['export', '--data', data, '--era1', out],
  'export --snapshot': (data, out) => ['export', '--data', data, '--snapshot', out],
  'db stats': (data) => ['db', 'stats', '--data', data],
  'db verify': (data) => ['db', 'verify', '--data', data],
  'db compact': (data) => ['db', 'compact', '--data', data],
  dev: (data) => ['dev', '--data', data, '--port', '0', '--log', 'warn'],
}
const importSnapshot = (data) => ['import', '--data', data, '--snapshot', snapshot]
const servers = ['run', 'dev']
// In the middle of their work, where it changes more than the lock.
const stops = { import: 4, 'db compact': 12, 'export --snapshot': 5 }

before(async () => {
  await writeBranches(folder, { blocks: 20, straight: 20, seed: 7 })
  for (const words of [['import', '--data', imported, '--genesis', genesis, file('straight.rlp')], ['export', '--data', imported, '--snapshot', snapshot]]) {
    const done = run(words)
    assert.equal(done.status, 0, done.stderr)
  }
  const node = await startNode(['--data', developed])
  await node.rpc('evm_mine')
  assert.equal(await node.stop(), 0)
})
after(() => fs.rmSync(folder, { recursive: true, force: true }))

// Every name below a folder, when it was changed, and what it holds.
function contentsOf(place) {
  const list = fs.readdirSync(place, { recursive: true, withFileTypes: true }).map((entry) => {
    const name = path.join(entry.path, entry.name)
    const { mtimeNs } = fs.statSync(name, { bigint: true })
    return `${name} ${mtimeNs} ${entry.isFile() ? crypto.createHash('sha1').update(fs.readFileSync(name)).digest('hex') : ''}`
  })
  return list.sort()
}

// In state T: stopped. Undefined: it has ended.
function stateOf(pid) {
  try {
    return fs.readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '')[0]
  } catch {
    return undefined
  }
}

function start(words, environment = {}) {
  const child = launch(binary, words, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...environment } })
  const started = { child, said: '', wrong: '' }
  child.stdout.on('data', (text) => (started.said += text))
  child.stderr.on('data', (text) => (started.wrong += text))
  started.ended = new Promise((resolve) => child.on('close', (code, signal) => resolve(code ?? signal)))
  return started
}

// A process that has the folder, stopped before a call that changes something: the second one writes the lock's end.
async function startAndStop(words, at = 2) {
  const data = words[words.indexOf('--data') + 1]
  const started = start(words, { LD_PRELOAD: layer, FAULTS_FOLDER: path.dirname(data), FAULTS_KIND: 'stop', FAULTS_AT: `${at}` })
  while (stateOf(started.child.pid) !== 'T') {
    assert.ok(started.child.exitCode === null, `${words.join(' ')} was not stopped: ${started.wrong}`)
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  return started
}

function checkRefused(words, pid) {
  const second = run(words)
  assert.equal(second.status, 1, `${words.join(' ')}: ${second.stderr}`)
  assert.match(second.stderr, new RegExp(`in use by process ${pid}\\b`), words.join(' '))
  assert.equal(second.stdout, '')
}

for (const [name, wordsOf] of Object.entries(commands)) {
  if (servers.includes(name)) continue
  test(`while ${name} has the folder, nobody else gets it`, async (t) => {
    const place = fs.mkdtempSync(file('place-'))
    const data = path.join(place, 'data')
    fs.cpSync(imported, data, { recursive: true })
    const first = await startAndStop(wordsOf(data, path.join(place, 'first')), stops[name])
    t.after(() => first.child.kill('SIGKILL'))
    const before = contentsOf(place)
    for (const second of Object.values(commands)) checkRefused(second(data, path.join(place, 'second')), first.child.pid)
    assert.match(run(importSnapshot(data)).stderr, /is there already/)
    assert.deepEqual(contentsOf(place), before)
    first.child.kill('SIGCONT')
    const [status, words] = name === 'export --era1' ? [1, /of after the merge/] : [0, /^/]
    assert.equal(await first.ended, status, first.wrong)
    assert.match(first.wrong, words)
    assert.equal(run(commands['db verify'](data)).status, 0)
  })
}

for (const name of servers)
  test(`while ${name} serves the folder, nobody else gets it`, async (t) => {
    const place = fs.mkdtempSync(file('place-'))
    const data = path.join(place, 'data')
    fs.cpSync(name === 'dev' ? developed : imported, data, { recursive: true })
    const first = start(commands[name](data))
    t.after(() => first.child.kill('SIGKILL'))
    while (!/http:\/\/[\d.]+:\d+/.test(first.said)) {
      assert.ok(first.child.exitCode === null, `${name} has ended: ${first.wrong}`)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    const [url] = /http:\/\/[\d.]+:\d+/.exec(first.said)
    await new Promise((resolve) => setTimeout(resolve, 900)) // what begins it is on the disk
    const before = contentsOf(place)
    const head = await request(url, 'eth_getBlockByNumber', ['latest', false])
    assert.ok(head.result.hash)
    for (const second of Object.values(commands)) {
      checkRefused(second(data, path.join(place, 'second')), first.child.pid)
      assert.equal((await request(url, 'eth_getBlockByNumber', ['latest', false])).result.hash, head.result.hash)
    }
    assert.match(run(importSnapshot(data)).stderr, /is there already/)
    assert.deepEqual(contentsOf(place), before)
    if (name === 'dev') assert.equal((await request(url, 'evm_mine')).result, '0x0')
    first.child.kill('SIGTERM')
    assert.equal(await first.ended, 0, first.wrong)
    assert.equal(run(commands['db verify'](data)).status, 0)
  })

test('while a folder is made of a snapshot, nobody else makes or opens it', async (t) => {
  const place = fs.mkdtempSync(file('place-'))
  const data = path.join(place, 'data')
  const first = await startAndStop(importSnapshot(data), 20)
  t.after(() => first.child.kill('SIGKILL'))
  const before = contentsOf(place)
  for (const second of [...Object.values(commands), importSnapshot])
    for (const name of [data, `${data}/`]) checkRefused(second(name, path.join(place, 'second')), first.child.pid)
  assert.deepEqual(contentsOf(place), before)
  first.child.kill('SIGCONT')
  assert.equal(await first.ended, 0, first.wrong)
  assert.equal(run(commands['db verify'](data)).status, 0)
})

test('two that make a folder of a snapshot at once do not disturb each other', async () => {
  for (let round = 0; round < 10; round++) {
    const data = path.join(fs.mkdtempSync(file('place-')), 'data')
    const all = Array.from({ length: 4 }, () => start(importSnapshot(data)))
    const statuses = await Promise.all(all.map(({ ended }) => ended))
    assert.deepEqual(statuses.filter((status) => status === 0), [0], all.map(({ wrong }) => wrong).join(''))
    for (const { wrong } of all.filter((_, i) => statuses[i])) assert.match(wrong, /in use by process \d+|is there already/)
    assert.equal(run(commands['db verify'](data)).status, 0)
  }
})

test('what a killed process left is nobody\'s lock', async (t) => {
  const data = path.join(fs.mkdtempSync(file('place-')), 'data')
  const lock = path.join(data, 'chain', 'lock')
  fs.cpSync(imported, data, { recursive: true })
  for (const [name, wordsOf] of Object.entries(commands)) {
    const killed = await startAndStop(commands['db verify'](data))
    killed.child.kill('SIGKILL')
    await killed.ended
    assert.equal(fs.readFileSync(lock, 'utf8'), `${killed.child.pid}\n`)
    if (name === 'db verify') fs.writeFileSync(lock, `${process.pid}\n`) // its number is somebody else's now
    const next = await startAndStop(wordsOf(data, path.join(data, '..', 'out')))
    t.after(() => next.child.kill('SIGKILL'))
    next.child.kill('SIGKILL')
    await next.ended
  }
  assert.equal(run(commands['db verify'](data)).status, 0)
})
