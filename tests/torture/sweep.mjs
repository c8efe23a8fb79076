// Goes through every call by which a node changes its files or makes them last, one run of the node for each, and has
// something happen at it: see faults.c. Whatever happens, the data folder must verify afterwards, hold every block that
// was said to be durable, and the same command given again must end as if nothing had happened. A snapshot makes a folder
// wholly or not at all; a development node keeps what it promises to its client (developing.mjs).
//   node tests/torture/sweep.mjs [--blocks N] [--seed N] [--cuts N] [--every N] [--jobs N] [--only SCENE/KIND/NUMBER]
// --every N takes one boundary in N (others with each seed); --cuts how many power cuts at each.
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { root } from '../../scripts/solc.mjs'
import { randomFrom, writeBranches } from './branches.mjs'
import { checkDeveloped, develop, makeDeveloped } from './developing.mjs'

const { values } = parseArgs({
  options: {
    blocks: { type: 'string', default: '120' },
    cuts: { type: 'string', default: '4' },
    every: { type: 'string', default: '1' },
    jobs: { type: 'string', default: `${os.availableParallelism()}` },
    only: { type: 'string', default: '' },
    seed: { type: 'string', default: `${Math.floor(Math.random() * 2 ** 31)}` },
  },
})
const [blocks, cuts, every, jobs, seed] = [values.blocks, values.cuts, values.every, values.jobs, values.seed].map(Number)
const programs = process.env.ASHLAR_BIN ?? path.join(root, 'build', 'bin')
const program = path.join(programs, 'ashlar-node')
const layer = path.join(programs, '..', 'lib', 'faults.so')
if (!fs.existsSync(layer)) throw new Error(`there is no ${layer}, which make faults makes`)
// In memory if it may be: what is lost when the power fails is the layer's affair, not the disk's.
const folder = fs.mkdtempSync(path.join(fs.existsSync('/dev/shm') ? '/dev/shm' : os.tmpdir(), 'ashlar-sweep-'))
const killed = 137
const patienceMs = 60_000
const straight = 1030
const states = 8 // of so many blocks the states are kept; a segment is made of what lies behind them

function run(argv, environment = {}) {
  return new Promise((resolve) => {
    const child = spawn(program, argv, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...environment },
      timeout: patienceMs, killSignal: 'SIGABRT' })
    let said = ''
    let wrong = ''
    child.stdout.on('data', (text) => (said += text))
    child.stderr.on('data', (text) => (wrong += text))
    child.on('close', (status, signal) => resolve({ status, signal, said, wrong }))
  })
}

const importOf = (data, chain, file, ...more) => ['import', '--data', data,
  '--genesis', path.join(folder, chain, 'genesis.json'), '--state', `${states}`, '--sync', '2', ...more,
  path.join(folder, chain, file)]

// A scene is a command on a data folder, which is not there, or begins as a copy of the base.
const scenes = [
  { name: 'new', chain: 'short', from: -1, command: (data) => importOf(data, 'short', 'chain.rlp') },
  { name: 'segments', chain: 'long', from: straight - 1, command: (data) => importOf(data, 'long', 'chain.rlp') },
  { name: 'prune', chain: 'long', from: straight - 1,
    command: (data) => importOf(data, 'long', 'chain.rlp', '--history', `${states}`) },
  { name: 'compact', chain: 'long', from: straight - 1, command: (data) => ['db', 'compact', '--data', data] },
  { name: 'snapshot', chain: 'long', from: -1, command: (data) => ['import', '--data', data, '--snapshot', snapshot],
    isDone: (data) => fs.existsSync(data) },
  { name: 'dev-new', from: -1, isClient: true },
  { name: 'dev', from: 0, isClient: true },
]
const [base, developed, snapshot] = ['base', 'developed', 'long.snapshot'].map((name) => path.join(folder, name))

// Undefined if there is no chain yet, which is right as long as nothing was said to be durable.
async function verify(data) {
  const { status, said, wrong } = await run(['db', 'verify', '--data', data])
  if (status === 0) return /blocks to \d+, (0x[0-9a-f]{64})/.exec(said)[1]
  if (/there is no (folder|store|chain)/.test(wrong)) return undefined
  throw new Error(`the folder does not verify: ${wrong}`)
}

const durableIn = (said) => [...said.matchAll(/^(?:durable|head): block \d+, (0x[0-9a-f]{64})$/gm)].at(-1)?.[1]

function checkEnd(kind, { status, signal, wrong }) {
  if (signal) throw new Error(`the node was ended by ${signal}: ${wrong}`)
  if (status === 0) return
  if (['kill', 'tear', 'cut'].includes(kind) ? status === killed : status === 1) {
    const words = { full: /the disk is full|No space left on device/, once: /the disk is full|No space left on device|Input\/output error/,
      eio: /Input\/output error/ }[kind]
    if (words && !words.test(wrong)) throw new Error(`its words do not say what happened: ${wrong}`)
    return
  }
  throw new Error(`the node ended with ${status}: ${wrong}`)
}

const actIn = (scene, data, environment) =>
  scene.isClient ? develop(data, environment, scene.first) : run(scene.command(data), environment)

async function checkImported(scene, data, { said }) {
  const least = Math.max(scene.from, scene.place.get(durableIn(said)) ?? -1)
  const head = await verify(data)
  const reached = head === undefined ? -1 : scene.place.get(head) ?? (least < 0 ? -1 : -2)
  if (reached < least) throw new Error(`block ${least} of the file was durable, and the head is block ${reached}`)
  if (!scene.isDone?.(data)) {
    const again = await run(scene.command(data))
    if (again.status !== 0) throw new Error(`it does not go on: ${again.wrong}`)
  }
  if ((await verify(data)) !== scene.head) throw new Error('gone on with, it does not end at the last block')
}

async function checkClient(data, done) {
  const head = await verify(data)
  if (head === undefined && done.least >= 0) throw new Error('what was durable is not there')
  await checkDeveloped(data, head, done)
  await verify(data)
}

function placeFor(scene) {
  const place = fs.mkdtempSync(path.join(folder, 'run-'))
  const data = path.join(place, 'data')
  if (scene.from >= 0) fs.cpSync(scene.isClient ? developed : base, data, { recursive: true })
  return { place, data }
}

async function oneRun(scene, kind, at, runSeed) {
  const { place, data } = placeFor(scene)
  try {
    const done = await actIn(scene, data, { LD_PRELOAD: layer, FAULTS_FOLDER: place, FAULTS_AT: `${at}`,
      FAULTS_KIND: kind === 'once' ? 'full' : kind, FAULTS_FOR: kind === 'once' ? '1' : '0', FAULTS_SEED: `${runSeed}` })
    checkEnd(kind, done)
    await (scene.isClient ? checkClient(data, done) : checkImported(scene, data, done))
  } catch (error) {
    return `${error.message} (the folder is ${place})`
  }
  fs.rmSync(place, { recursive: true })
  return undefined
}

// Every boundary of the scene with nothing happening: call, path and bytes.
async function boundariesOf(scene) {
  const { place, data } = placeFor(scene)
  const log = path.join(folder, `${scene.name}.log`)
  const done = await actIn(scene, data, { LD_PRELOAD: layer, FAULTS_FOLDER: place, FAULTS_LOG: log })
  if (done.status !== 0) throw new Error(`${scene.name}: the node ended with ${done.status}: ${done.wrong}`)
  scene.head = await verify(data)
  fs.rmSync(place, { recursive: true })
  return fs.readFileSync(log, 'utf8').trim().split('\n').map((line) => line.split(' ').slice(1))
}

// Makes the chains, and the base: as far as right before the first segment. Resolves to the places of their blocks.
async function prepare() {
  const short = await writeBranches(path.join(folder, 'short'), { blocks, seed, reach: states - 2 })
  const long = await writeBranches(path.join(folder, 'long'), { blocks, seed, straight, reach: states - 2 })
  const made = await run(importOf(base, 'long', 'straight.rlp'))
  if (made.status !== 0) throw new Error(`the import ended with ${made.status}: ${made.wrong}`)
  await makeDeveloped(developed)
  scenes.find(({ name }) => name === 'dev').first = await verify(developed)
  const whole = path.join(folder, 'whole')
  fs.cpSync(base, whole, { recursive: true })
  for (const words of [importOf(whole, 'long', 'chain.rlp'), ['export', '--data', whole, '--snapshot', snapshot]]) {
    const done = await run(words)
    if (done.status !== 0) throw new Error(`${words[0]} ended with ${done.status}: ${done.wrong}`)
  }
  const placesOf = (order) => new Map(order.map(({ hash }, i) => [hash, i]))
  return { short: placesOf(short), long: placesOf(long) }
}

function jobsOf(scene, boundaries) {
  const all = []
  const random = randomFrom(seed)
  boundaries.forEach(([call], i) => {
    const isWrite = ['write', 'pwrite'].includes(call)
    const needsRoom = isWrite || ['open', 'mkdir'].includes(call)
    const kinds = ['kill', ...(isWrite ? ['tear'] : []), ...Array(cuts).fill('cut'), ...(needsRoom ? ['full', 'once'] : []),
      'eio']
    for (const kind of kinds)
      if (random() * every < 1) all.push({ scene, kind, at: i + 1, runSeed: Math.floor(random() * 2 ** 31) })
  })
  return all.filter(({ kind, at }) => `${scene.name}/${kind}/${at}`.startsWith(values.only))
}

console.log(`sweep: seed ${seed}`)
const counts = {}
let failed = 0
let passed = 0
try {
  const places = await prepare()
  const todo = []
  for (const scene of scenes) {
    scene.place = places[scene.chain]
    const boundaries = await boundariesOf(scene)
    console.log(`${scene.name}: ${boundaries.length} boundaries`)
    todo.push(...jobsOf(scene, boundaries))
  }
  const worker = async (list) => {
    for (let job = list.shift(); job && failed < 20; job = list.shift()) {
      const { scene, kind, at, runSeed } = job
      const words = await oneRun(scene, kind, at, runSeed)
      counts[kind] = (counts[kind] ?? 0) + 1
      if (words) console.log(`FAIL ${scene.name}/${kind}/${at} (seed ${runSeed}): ${words}`)
      words ? failed++ : passed++
    }
  }
  const byWait = (isClient) => todo.filter(({ scene }) => Boolean(scene.isClient) === isClient)
  for (const [list, atOnce] of [[byWait(false), jobs], [byWait(true), 6 * jobs]]) // clients wait most of the time
    await Promise.all(Array.from({ length: atOnce }, () => worker(list)))
} catch (error) {
  console.log(`FAIL ${error.stack}`)
  failed++
} finally {
  if (failed) console.log(`the folder is kept: ${folder}`)
  else fs.rmSync(folder, { recursive: true, force: true })
}
console.log(Object.entries(counts).map(([kind, count]) => `${count} ${kind}`).join(', '))
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed ? 1 : 0
