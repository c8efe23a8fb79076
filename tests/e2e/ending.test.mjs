// SIGTERM and SIGINT end every command in less than a second, whatever it waits for or works at, and what was done stays.
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { root } from '../../scripts/solc.mjs'
import { writeBranches } from '../torture/branches.mjs'
import { attended, isAnvil, launch, letGo, request } from './node.mjs'

const binary = path.join(process.env.ASHLAR_BIN ?? path.join(root, 'build', 'bin'), 'ashlar-node')
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'ashlar-ending-'))
const genesis = path.join(folder, 'genesis.json')
const file = path.join(folder, 'chain.rlp')
const fifo = path.join(folder, 'fifo')
const options = { skip: isAnvil }
// Sanitizers slow the end down; how long it takes is judged where programs are as they are used.
const boundMs = /asan|tsan|cov/.test(binary) ? 10_000 : 1000
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
let order
let folders = 0
const newData = () => path.join(folder, `data-${++folders}`)

before(async () => {
  if (isAnvil) return
  order = await writeBranches(folder, { blocks: 40, seed: 11 })
  assert.equal(spawnSync('mkfifo', [fifo]).status, 0)
})
after(() => fs.rmSync(folder, { recursive: true, force: true }))

// Starts a command; end(signal) gives how it ended and what it said.
function start(words, stdio = ['pipe', 'pipe', 'pipe']) {
  const child = launch(binary, words, { stdio })
  let said = ''
  child.stdout?.on('data', (text) => (said += text))
  child.stderr?.on('data', (text) => (said += text))
  child.stdin?.on('error', () => {}) // it may end before it has read all
  const ended = new Promise((resolve) => child.on('close', (code, signal) => resolve(code ?? signal)))
  letGo(child)
  const end = async (signal) => {
    const began = performance.now()
    child.kill(signal)
    const how = await attended(child, ended)
    const ms = performance.now() - began
    assert.ok(ms < boundMs, `${words[0]} took ${ms} ms`)
    return { how, said }
  }
  return { child, end, ended, said: () => said }
}

async function until(condition, what, patienceMs = 10_000) {
  for (const deadline = Date.now() + patienceMs; !condition(); await sleep(5)) assert.ok(Date.now() < deadline, what)
}

function headOf(data) {
  const done = spawnSync(binary, ['db', 'verify', '--data', data], { encoding: 'utf8' })
  assert.equal(done.status, 0, done.stderr)
  return /blocks to \d+, (0x[0-9a-f]{64})/.exec(done.stdout)[1]
}

for (const signal of ['SIGTERM', 'SIGINT'])
  test(`import ends with ${signal} while its pipe is open and silent, and keeps what came`, options, async () => {
    const data = newData()
    const { child, end, said } = start(['import', '--data', data, '--genesis', genesis, '--sync', '1', '-'])
    const bytes = fs.readFileSync(file)
    child.stdin.write(bytes.subarray(0, bytes.length - 5)) // the last block is not whole
    await until(() => said().includes(order.at(-2).hash), 'all whole blocks are taken as they come')
    const done = await end(signal)
    assert.equal(done.how, 0)
    assert.match(done.said, new RegExp(`head: block \\d+, ${order.at(-2).hash} \\(stopped\\)`))
    assert.equal(headOf(data), order.at(-2).hash)
    const again = spawnSync(binary, ['import', '--data', data, file], { encoding: 'utf8' })
    assert.match(again.stdout, /^1 blocks imported/)
    assert.equal(headOf(data), order.at(-1).hash)
  })

test('import ends while nothing comes at all: of standard input, of a pipe that nobody writes to', options, async () => {
  for (const from of ['-', fifo]) {
    const data = newData()
    const { end } = start(['import', '--data', data, '--genesis', genesis, from])
    await until(() => fs.existsSync(path.join(data, 'chain', 'data.mdb')), 'the folder is made')
    await sleep(200)
    const { how, said } = await end('SIGTERM')
    assert.equal(how, 0, said)
    assert.match(said, /^0 blocks imported/)
  }
})

test('an import ends when a block is refused, though its pipe stays open and silent', options, async () => {
  const { child, ended, said } = start(['import', '--data', newData(), '--genesis', genesis, '--sync', '1', '-'])
  const bytes = Buffer.from(fs.readFileSync(file))
  let last = 0 // where the last block begins: each is a list with two bytes of length
  for (let next = 0; next < bytes.length; next += 3 + bytes.readUInt16BE(next + 1)) {
    assert.equal(bytes[next], 0xf9)
    last = next
  }
  child.stdin.write(bytes.subarray(0, last))
  await until(() => said().includes(order.at(-2).hash), 'all good blocks are taken')
  bytes[last + 110] ^= 1 // its state root
  child.stdin.write(bytes.subarray(last))
  await until(() => child.exitCode !== null, 'it has ended')
  assert.equal(await ended, 1)
  assert.match(said(), /block \d+, 0x\w+, was refused/)
})

test('an import ends at any moment, and the next one brings it to the end', options, async () => {
  const data = newData()
  for (let ms = 0; ms < 60; ms += 6) {
    const { end } = start(['import', '--data', data, '--genesis', genesis, file])
    await sleep(ms)
    const { how } = await end('SIGTERM')
    assert.ok(how === 0 || how === 'SIGTERM', `${how}`) // by the signal while it has not begun
  }
  assert.equal(spawnSync(binary, ['import', '--data', data, '--genesis', genesis, file]).status, 0)
  assert.equal(headOf(data), order.at(-1).hash)
})

test('commands that keep nothing end by the signal, whatever they wait for', options, async () => {
  const data = newData()
  const fresh = newData()
  assert.equal(spawnSync(binary, ['import', '--data', data, '--genesis', genesis, file]).status, 0)
  const head = headOf(data)
  const commands = [
    ['genesis', 'check', '-'],
    ['genesis', 'check', fifo],
    ['init', '--data', fresh, '--genesis', fifo],
    ['run', '--data', fresh, '--genesis', fifo],
    ['run', '--config', fifo],
    ['import', '--data', fresh, '--genesis', fifo, file],
    ['import', '--data', fresh, '--snapshot', '-'],
    ['export', '--data', data, fifo],
  ]
  for (const words of commands) {
    const { end } = start(words)
    await sleep(50)
    assert.equal((await end('SIGTERM')).how, 'SIGTERM', words.join(' '))
  }
  for (const words of [['db', 'verify'], ['db', 'compact'], ['export', path.join(folder, 'out.rlp')]]) {
    const { end } = start([...words, '--data', data])
    await sleep(3)
    const { how } = await end('SIGTERM')
    assert.ok(how === 'SIGTERM' || how === 0, words.join(' '))
  }
  assert.equal(headOf(data), head)
})

test('export to a pipe that nobody empties ends', options, async () => {
  const data = newData()
  assert.equal(spawnSync(binary, ['import', '--data', data, '--genesis', genesis, file]).status, 0)
  // The shell opens the pipe for both, so that it fills up.
  const many = Array.from({ length: 200 }, () => `"${binary}" export --data "${data}" - 2>/dev/null`).join(';')
  const shell = spawn('sh', ['-c', `exec 3<>"${fifo}"; exec >"${fifo}"; ${many}`], { stdio: 'ignore', detached: true })
  const ended = new Promise((resolve) => shell.on('close', (code, signal) => resolve(code ?? signal)))
  await sleep(700)
  const began = performance.now()
  process.kill(-shell.pid, 'SIGTERM')
  assert.equal(await ended, 'SIGTERM')
  assert.ok(performance.now() - began < boundMs)
})

// --- a node that is busy ---------------------------------------------------------------------------------------------

async function startDev(...words) {
  const { child, end, said } = start(['dev', '--port', '0', ...words])
  await until(() => /http:\S+/.test(said()), 'it listens')
  return { child, end, url: /http:\S+/.exec(said())[0] }
}

const spinner = '0x00000000000000000000000000000000000000ff'
const spin = (id) => ({
  jsonrpc: '2.0', id, method: 'eth_call',
  params: [{ to: spinner }, 'latest', { [spinner]: { code: '0x5b600056' } }],
})

const work = {
  'a batch of endless calls': [Array.from({ length: 200 }, (_, id) => spin(id))],
  'an estimate of an endless call': [{ ...spin(1), method: 'eth_estimateGas' }],
  'many blocks at once, asked for often': Array.from({ length: 20 }, (_, id) => ({
    jsonrpc: '2.0', id, method: 'hardhat_mine', params: ['0x186a0'],
  })),
}

for (const [name, requests] of Object.entries(work))
  test(`a node ends in the middle of ${name}`, options, async () => {
    const data = newData()
    const { end, url } = await startDev('--data', data)
    await request(url, 'evm_mine')
    const answers = requests.map((body) =>
      fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }).catch(() => {}))
    await sleep(150)
    assert.equal((await end('SIGTERM')).how, 0)
    await Promise.all(answers)
    headOf(data)
  })

// --- a folder that is indexed when it is opened ------------------------------------------------------------------------

// Blocks that take long to execute, and little room: each a creation that spends all of its gas.
const slowBlocks = 100
async function makeSlowArchive(data) {
  const gas = 200_000_000
  const { end, url } = await startDev('--data', data, '--state', 'archive', '--fork', 'prague', '--gas-limit', `${2 * gas}`)
  const [from] = (await request(url, 'eth_accounts')).result
  for (let i = 0; i < slowBlocks; i++) {
    const { error } = await request(url, 'eth_sendTransaction', [{ from, data: '0x5b600056', gas: `0x${gas.toString(16)}` }])
    assert.equal(error, undefined)
  }
  assert.equal((await end('SIGTERM')).how, 0)
  return from
}
let slow // made once, and copied
async function newSlowArchive() {
  const data = newData()
  if (!slow) {
    slow = { data: newData() }
    slow.from = await makeSlowArchive(slow.data)
  }
  fs.cpSync(slow.data, data, { recursive: true })
  return { data, from: slow.from }
}

function indexedIn(data) {
  const { stdout } = spawnSync(binary, ['db', 'stats', '--data', data], { encoding: 'utf8' })
  return Number(/^visits +(\d+)/m.exec(stdout)[1])
}

for (const command of ['run', 'import', 'dev'])
  test(`${command} ends while it indexes an old archive, and goes on the next time`, options, async () => {
    const { data, from } = await newSlowArchive()
    assert.equal(indexedIn(data), 0)
    const words = { run: ['run', '--http.port', '0'], dev: ['dev', '--port', '0', '--fork', 'prague'], import: ['import', '/dev/null'] }[command]
    const all = [...words, '--data', data, '--state', 'archive', '--address-index']
    let done = 0
    for (let times = 0; times < 2; times++) {
      const { end } = start(all)
      await sleep(400)
      const { how, said } = await end('SIGTERM')
      assert.equal(how, 0, said)
      const now = indexedIn(data)
      assert.ok(now > done && now < slowBlocks, `${now} blocks after ${done}`)
      done = now
    }
    headOf(data)
    if (command !== 'run') return
    const { end, said } = start(all)
    await until(() => /http:\S+/.test(said()), 'it listens', 60_000)
    const [url] = /http:\S+/.exec(said())
    const page = (await request(url, 'ots_searchTransactionsBefore', [from, 0, 100])).result
    assert.equal(page.txs.length, slowBlocks)
    assert.equal((await end('SIGTERM')).how, 0)
    assert.equal(indexedIn(data), slowBlocks)
    headOf(data)
  })
