// Bits of a data folder are flipped, in the store and in the segments, before a node is started on it and while it
// serves. Whatever it answers is right, or an error that names the damage; then blocks are imported, which end well or
// with such words; nothing is ever ended by a signal. db verify names the damage, or what was flipped meant nothing, and
// then all answers are right.
//   node tests/torture/flips.mjs [--flips N] [--seed N] [--only ROUND]
// A round that fails can be run again by its number, with the same seed and --flips.
import { spawn, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { root } from '../../scripts/solc.mjs'
import { request } from '../e2e/node.mjs'
import { randomFrom, writeBranches } from './branches.mjs'

const { values } = parseArgs({
  options: {
    flips: { type: 'string', default: '5000' },
    seed: { type: 'string', default: `${Math.floor(Math.random() * 2 ** 31)}` },
    only: { type: 'string' },
  },
})
const [flips, seed] = [values.flips, values.seed].map(Number)
const program = path.join(process.env.ASHLAR_BIN ?? path.join(root, 'build', 'bin'), 'ashlar-node')
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'ashlar-flips-'))
const genesis = path.join(folder, 'genesis.json')
const straight = 1040 // a segment has 1,024 blocks, and lies behind the states that are kept
const pageSize = 4096
const patienceMs = 60_000
const told = /damaged|cannot be read|is not the one|corrupt|does not say its format|cut short|no store|no segment/
// What a folder is made with, and whether states of old blocks can be asked for.
const bases = [
  { name: 'pruned', words: ['--state', '8'], isArchive: false },
  { name: 'explorer', words: ['--profile', 'explorer'], isArchive: true },
]
const hex = (number) => `0x${number.toString(16)}`

function expect(isSo, words) {
  if (!isSo) throw new Error(words)
}

const run = (...words) => {
  const done = spawnSync(program, words, { encoding: 'utf8', timeout: patienceMs, killSignal: 'SIGABRT' })
  expect(done.signal === null, `${words.join(' ')} was ended by ${done.signal}: ${done.stderr}`)
  return done
}

const children = new Set()
process.on('exit', () => children.forEach((child) => child.kill('SIGKILL')))

// A node that serves, or { refused: its words }.
async function serve(data) {
  const child = spawn(program, ['run', '--data', data, '--http.port', '0', '--log', 'error', '--sandbox=false'],
    { stdio: ['ignore', 'pipe', 'pipe'] })
  children.add(child)
  let wrong = ''
  child.stderr.on('data', (text) => (wrong += text))
  const ended = new Promise((resolve) => child.on('close', (status, signal) => {
    children.delete(child)
    resolve({ status, signal, wrong })
  }))
  const url = await new Promise((resolve) => {
    let said = ''
    child.stdout.on('data', (text) => {
      said += text
      const found = /Listening on (http:\S+)/.exec(said)
      if (found) resolve(found[1])
    })
    ended.then(() => resolve(undefined))
  })
  if (!url) return { refused: await ended }
  const stop = () => {
    child.kill('SIGTERM')
    return ended
  }
  return { ask: (method, params) => request(url, method, params), stop, ended }
}

// --- what is asked ----------------------------------------------------------------------------------------------------

// All that clients ask for, about every block and everybody in them. isState: it is about the state of one block.
async function questionsOf(node, isArchive) {
  const questions = []
  const add = (method, ...params) => questions.push({ method, params, isState: false })
  const addresses = new Set()
  for (let n = 0; n <= straight; n++) {
    const { result: block } = await node.ask('eth_getBlockByNumber', [hex(n), true])
    add('eth_getBlockByNumber', hex(n), n % 2 === 0)
    add('eth_getBlockByHash', block.hash, n % 2 === 1)
    add('eth_getBlockReceipts', hex(n))
    if (n % 8 === 0) add('eth_getLogs', { fromBlock: hex(n), toBlock: hex(Math.min(n + 15, straight)) })
    for (const { hash, from, to } of block.transactions) {
      add('eth_getTransactionByHash', hash)
      add('eth_getTransactionReceipt', hash)
      for (const address of [from, to]) if (address) addresses.add(address)
    }
  }
  const at = () => hex(isArchive ? straight - (questions.length % 100) : straight)
  const state = (method, ...params) => questions.push({ method, params: [...params, at()], isState: true })
  for (const address of addresses) {
    state('eth_getBalance', address)
    state('eth_getTransactionCount', address)
    state('eth_getCode', address)
    state('eth_getProof', address, ['0x0'])
    // A neighbour, which nobody has paid anything.
    state('eth_getBalance', address.replace(/.$/, (digit) => hex(15 - parseInt(digit, 16)).slice(2)))
  }
  const contracts = []
  for (const address of addresses) {
    const { result } = await node.ask('eth_getCode', [address, hex(straight)])
    if (result !== '0x') contracts.push(address)
  }
  for (const address of contracts)
    for (let slot = 0; slot < 70; slot++) state('eth_getStorageAt', address, hex(slot))
  for (const question of questions) {
    const { result, error } = await node.ask(question.method, question.params)
    expect(!error, `${question.method} ${JSON.stringify(question.params)}: ${error?.message}`)
    question.answer = JSON.stringify(result)
  }
  return questions
}

// True if the answer was right, false if it was an error that names the damage.
async function ask(node, { method, params, answer }) {
  const { result, error } = await node.ask(method, params)
  if (error) {
    expect(told.test(error.message), `${method} ${JSON.stringify(params)}: the error does not name the damage: ${error.message}`)
    return false
  }
  const got = JSON.stringify(result)
  expect(got === answer, `${method} ${JSON.stringify(params)}: answered ${got}, which is not ${answer}`)
  return true
}

// --- what is flipped --------------------------------------------------------------------------------------------------

const filesOf = (data) => fs.readdirSync(data, { recursive: true }).map((name) => path.join(data, name))
  .filter((name) => fs.statSync(name).isFile())

// One to eight bits that lie near each other. Half of the time in the head of a page, by which one goes through it.
function flip(data, random) {
  const files = filesOf(data)
  const store = files.filter((name) => name.endsWith('data.mdb'))
  const segments = files.filter((name) => /\.(seg|segment)$/.test(name) || name.includes('segments'))
  const names = random() < 0.3 && segments.length ? segments : store
  const name = names[Math.floor(random() * names.length)]
  const { size } = fs.statSync(name)
  let at = Math.floor(random() * size)
  if (names === store && random() < 0.5) at = at - (at % pageSize) + Math.floor(random() * 128)
  const file = fs.openSync(name, 'r+')
  const bytes = Buffer.alloc(2)
  const length = fs.readSync(file, bytes, 0, 2, at)
  const bits = random() < 0.5 ? 1 : 1 + Math.floor(random() * 8)
  for (let i = 0; i < bits; i++) bytes[Math.floor(random() * length)] ^= 1 << Math.floor(random() * 8)
  fs.writeSync(file, bytes, 0, length, at)
  fs.closeSync(file)
  return `${path.basename(name)}:${at}`
}

// --- a round ----------------------------------------------------------------------------------------------------------

const pick = (list, random) => list[Math.floor(random() * list.length)]

// Flips while the node serves, until it has named the damage a few times. Resolves to how many there were.
async function disturb(node, data, questions, random, most) {
  let done = 0
  let errors = 0
  for (; done < most && errors < 3; done++) {
    for (let i = 0; i < 4; i++) if (!(await ask(node, pick(questions, random)))) errors++
    flip(data, random)
    for (let i = 0; i < 12; i++) if (!(await ask(node, pick(questions, random)))) errors++
  }
  return done
}

function importMore(data, base) {
  const { status, stderr } = run('import', '--data', data, '--genesis', genesis, ...base.words, path.join(folder, 'chain.rlp'))
  expect(status === 0 || (status === 1 && told.test(stderr)), `the import ended with ${status}: ${stderr}`)
  return status === 0
}

async function askAll(data, questions, random, count) {
  const node = await serve(data)
  expect(!node.refused, `db verify finds nothing, and it is not served: ${node.refused?.wrong}`)
  for (let i = 0; i < count; i++) expect(await ask(node, pick(questions, random)), 'db verify found nothing, and an answer is refused')
  const { status, signal } = await node.stop()
  expect(status === 0 && signal === null, `the node ended with ${status ?? signal}`)
}

// Resolves to the number of flips and what came of them.
async function round(base, random, most) {
  const data = path.join(folder, 'data')
  fs.rmSync(data, { recursive: true, force: true })
  fs.cpSync(base.data, data, { recursive: true })
  let done = 0
  const few = Math.min(most, 1 + Math.floor(random() * 9))
  for (; random() < 0.4 && done < few; done++) flip(data, random)
  const node = await serve(data)
  if (node.refused) {
    const { status, signal, wrong } = node.refused
    expect(signal === null && status === 1 && told.test(wrong), `the node ended with ${status ?? signal}: ${wrong}`)
  } else {
    done += await disturb(node, data, base.questions, random, few - done)
    const { status, signal, wrong } = await node.stop()
    expect(signal === null && (status === 0 || told.test(wrong)), `the node ended with ${status ?? signal}: ${wrong}`)
  }
  const isImported = importMore(data, base)
  const verified = run('db', 'verify', '--data', data)
  expect(verified.status === 0 || (verified.status === 1 && told.test(verified.stdout + verified.stderr)),
    `db verify ended with ${verified.status}: ${verified.stdout}${verified.stderr}`)
  if (verified.status === 0)
    await askAll(data, base.isArchive ? base.questions : base.questions.filter(({ isState }) => !isState || !isImported), random, 200)
  return { done, isSound: verified.status === 0 }
}

async function makeBases() {
  await writeBranches(folder, { blocks: 14, seed, straight, reach: 6 })
  for (const base of bases) {
    base.data = path.join(folder, base.name)
    const made = run('import', '--data', base.data, '--genesis', genesis, ...base.words, path.join(folder, 'straight.rlp'))
    expect(made.status === 0, `the import ended with ${made.status}: ${made.stderr}`)
    const node = await serve(base.data)
    base.questions = await questionsOf(node, base.isArchive)
    await node.stop()
  }
}

console.log(`flips: seed ${seed}`)
let passed = 0
let failed = 0
let sound = 0
try {
  await makeBases()
  for (let number = 0; passed < flips && !failed; number++) {
    const random = randomFrom(seed + number * 7919)
    const base = bases[number % bases.length]
    if (values.only && number !== Number(values.only)) continue
    try {
      const { done, isSound } = await round(base, random, values.only ? Infinity : flips - passed)
      passed += done
      sound += isSound
    } catch (error) {
      failed++
      console.log(`FAIL round ${number} (${base.name}): ${error.stack}`)
    }
    if (values.only) break
  }
} catch (error) {
  failed++
  console.log(`FAIL ${error.stack}`)
} finally {
  if (failed) console.log(`the folder is kept: ${folder}`)
  else fs.rmSync(folder, { recursive: true, force: true })
}
console.log(`${sound} folders had lost nothing`)
console.log(`${passed} passed, ${failed} failed`)
process.exit(failed ? 1 : 0) // with what a failure left running
