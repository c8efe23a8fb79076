// The development node beside anvil: start, memory, requests and included transfers a second.
//   node bench/rpc/run.mjs [--rounds N] [--seconds N] [--only ours|anvil] [--part idle|reads|transfers] [--skip-many]
// The same client for both: wrk with 16 connections, which asks again as soon as it is answered, with requests that were
// written down beforehand. It has a core of its own where there are two, and the node the other one; in the rows "on all
// cores" the node may use the client's core as well. Each round starts each node afresh, first the one, next time the
// other; figures are medians of the rounds.
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { ethers } from 'ethers'
import { compile, root } from '../../scripts/solc.mjs'
import { atLeast, atMost, bar, median } from '../bars.mjs'

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '3' },
    only: { type: 'string' },
    part: { type: 'string' },
    'skip-many': { type: 'boolean', default: false },
  },
})
const folder = path.join(root, 'build', 'bench', 'rpc')
const connections = 16
const senders = 200
const transfers = 120_000
const many = 20
const patienceMs = 20_000
const everySecond = ['--block-time', '1', '--gas-limit', '1000000000']
const mnemonic = 'test test test test test test test test test test test junk'
const arch = process.arch === 'x64' ? 'amd64' : process.arch
const programs = {
  ours: [path.join(process.env.ASHLAR_BIN ?? path.join(root, 'build', 'bin'), 'ashlar'), ['dev', '--silent']],
  anvil: [path.join(root, 'node_modules', '@foundry-rs', `anvil-linux-${arch}`, 'bin', 'anvil'), ['--silent']],
}
const contracts = compile(['tests/e2e/contracts/Token20.sol', 'tests/e2e/contracts/Trials.sol'])
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
const twoCores = os.availableParallelism() > 1

// --- starting and measuring a node --------------------------------------------------------------------

const chainIdRequest = (() => {
  const body = '{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]}'
  return `POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`
})()

// Asks once over a bare socket; false if nobody listens yet.
function answers(port) {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () => socket.write(chainIdRequest))
    socket.once('data', (data) => (socket.destroy(), resolve(data.includes('"result"'))))
    socket.once('error', () => resolve(false))
  })
}

let nextPort = 20_000 + (process.pid % 10_000)
async function start(name, flags = [], cores = '0') {
  const port = nextPort++
  const [program, argv] = programs[name]
  const pinned = twoCores ? ['taskset', ['-c', cores, program]] : [program, []]
  const command = [...pinned[1], ...argv, '--port', `${port}`, ...flags]
  const begin = performance.now()
  const child = spawn(pinned[0], command, { stdio: ['ignore', 'ignore', 'inherit'] })
  while (!(await answers(port))) {
    if (child.exitCode !== null) throw new Error(`${name} ended with status ${child.exitCode}`)
    await new Promise(setImmediate)
  }
  const url = `http://127.0.0.1:${port}`
  const node = { name, url, pid: child.pid, startMs: performance.now() - begin }
  running.add(child)
  node.stop = () => stop(child)
  return node
}

// Whatever still runs when this program ends, in whatever way, goes with it.
const running = new Set()
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')))
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1))

// Asks a node to end, and insists after three seconds.
async function stop(child) {
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  const insist = setTimeout(() => child.kill('SIGKILL'), 3000)
  await ended
  clearTimeout(insist)
  running.delete(child)
}

async function rpc(node, method, ...params) {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
  const response = await fetch(node.url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  const { result, error } = await response.json()
  if (error) throw new Error(`${node.name}: ${method}: ${error.message}`)
  return result
}

// Proportional memory in MiB.
function pss(pid) {
  const [, kib] = /^Pss:\s+(\d+)/m.exec(fs.readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))
  return Number(kib) / 1024
}

function writeBodies(name, bodies) {
  const file = path.join(folder, name)
  fs.writeFileSync(file, bodies.join('\n') + '\n')
  return file
}

const bodyOf = (method, params) => JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })

// Processor time of a process so far, in microseconds; one tick is a hundredth of a second.
function cpuUs(pid) {
  const fields = fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10_000
}

// Requests a second, and the node's processor time for one, which other work on the machine disturbs less.
function load(node, file, seconds = Number(options.seconds)) {
  const wrk = ['wrk', '-t1', `-c${connections}`, `-d${seconds}s`, '-s', path.join(root, 'bench', 'rpc', 'load.lua'), node.url, '--', file]
  const [program, ...argv] = twoCores ? ['taskset', '-c', '1', ...wrk] : wrk
  const before = cpuUs(node.pid)
  const out = execFileSync(program, argv, { stdio: ['ignore', 'pipe', 'inherit'] }).toString()
  const spent = cpuUs(node.pid) - before
  if (/Non-2xx|Socket errors/.test(out)) console.log(`${node.name}: ${out.match(/.*(Non-2xx|Socket errors).*/)[0].trim()}`)
  const [, count] = /(\d+) requests in/.exec(out)
  return { rate: Number(/Requests\/sec:\s+([\d.]+)/.exec(out)[1]), cpuUs: spent / Math.max(Number(count), 1) }
}

function rows(name, { rate, cpuUs }) {
  return { [`${name} /s`]: rate, [`${name}, CPU us`]: cpuUs }
}

// --- the loads -----------------------------------------------------------------------------------------

async function sendFrom(node, from, to, data) {
  const hash = await rpc(node, 'eth_sendTransaction', { from, to, data, gas: ethers.toQuantity(5_000_000) })
  for (;;) {
    const receipt = await rpc(node, 'eth_getTransactionReceipt', hash)
    if (receipt) return receipt
  }
}

async function measureReads(node) {
  const [owner] = await rpc(node, 'eth_accounts')
  const token = new ethers.Interface(contracts.Token20.abi)
  const trials = new ethers.Interface(contracts.Trials.abi)
  const supply = token.encodeDeploy([10n ** 24n]).slice(2)
  const tokenAt = (await sendFrom(node, owner, undefined, contracts.Token20.bytecode + supply)).contractAddress
  const trialsAt = (await sendFrom(node, owner, undefined, contracts.Trials.bytecode)).contractAddress
  for (let i = 0; i < 2; i++) await sendFrom(node, owner, trialsAt, trials.encodeFunctionData('logMany', [500]))
  const balanceOf = { to: tokenAt, data: token.encodeFunctionData('balanceOf', [owner]) }
  const filter = { address: trialsAt, fromBlock: '0x0', toBlock: 'latest' }
  const found = await rpc(node, 'eth_getLogs', filter)
  if (found.length !== 1000) throw new Error(`${node.name}: ${found.length} logs instead of 1000`)
  if (BigInt(await rpc(node, 'eth_call', balanceOf, 'latest')) !== 10n ** 24n) throw new Error(`${node.name}: wrong balance`)
  return {
    ...rows('eth_blockNumber', load(node, writeBodies('blockNumber', [bodyOf('eth_blockNumber', [])]))),
    ...rows('eth_call balanceOf', load(node, writeBodies('balanceOf', [bodyOf('eth_call', [balanceOf, 'latest'])]))),
    ...rows('eth_getLogs 1000 logs', load(node, writeBodies('getLogs', [bodyOf('eth_getLogs', [filter])]))),
  }
}

// Signed once and kept: transfers of so many senders in turn, so that each sender's nonces arrive in order.
function transferBodies() {
  const file = path.join(folder, `transfers-${senders}-${transfers}`)
  if (fs.existsSync(file)) return file
  console.log(`signing ${transfers} transfers, once`)
  const top = ethers.HDNodeWallet.fromPhrase(mnemonic, '', "m/44'/60'/0'/0")
  const keys = Array.from({ length: senders }, (_, i) => top.deriveChild(i).signingKey)
  const bodies = Array.from({ length: transfers }, (_, i) => {
    const to = ethers.dataSlice(ethers.id(`receiver ${i % 1000}`), 12)
    const tx = ethers.Transaction.from({
      type: 2, chainId: 31337, nonce: Math.floor(i / senders), to, value: 1n, gasLimit: 21_000n,
      maxFeePerGas: 100n * 10n ** 9n, maxPriorityFeePerGas: 1n,
    })
    tx.signature = keys[i % senders].sign(tx.unsignedHash)
    return bodyOf('eth_sendRawTransaction', [tx.serialized])
  })
  return writeBodies(path.basename(file), bodies)
}

// anvil seals so many single blocks only with great pains, so both ways are measured: sealed at once, and once a second.
async function measureTransfers(name, label, flags, cores) {
  const node = await start(name, ['--accounts', `${senders}`, ...flags], cores)
  try {
    const accounts = await rpc(node, 'eth_accounts')
    const countOf = (account) => bodyOf('eth_getTransactionCount', [account, 'latest'])
    const begin = performance.now()
    const cpuBefore = cpuUs(node.pid)
    load(node, transferBodies())
    // One batch, so that all counts are of about one moment; a node that is still busy gets its time counted.
    const counting = { method: 'POST', headers: { 'content-type': 'application/json' }, signal: AbortSignal.timeout(patienceMs) }
    const counts = await fetch(node.url, { ...counting, body: `[${accounts.map(countOf)}]` })
      .then((response) => response.json())
      .catch(() => console.log(`${name}: no answer within ${patienceMs} ms after the transfers`))
    const seconds = (performance.now() - begin) / 1000
    const included = (counts ?? []).reduce((sum, { result }) => sum + Number(result), 0)
    if (included === transfers) console.log(`${name}: all ${transfers} transfers were included; the rate is a lower bound`)
    const each = (cpuUs(node.pid) - cpuBefore) / Math.max(included, 1)
    return { [`${label} /s`]: included / seconds, [`${label}, CPU us`]: each, [`${label}, PSS MiB`]: pss(node.pid) }
  } finally {
    await node.stop()
  }
}

async function measureIdle(name) {
  const starts = []
  for (let i = 0; i < 9; i++) {
    const node = await start(name)
    starts.push(node.startMs)
    await node.stop()
  }
  const node = await start(name)
  await sleep(1000)
  const alone = pss(node.pid)
  await node.stop()
  const figures = { 'start to first answer, ms': median(starts), 'idle PSS alone, MiB': alone }
  if (options['skip-many']) return figures
  const crowd = []
  for (let i = 0; i < many; i++) crowd.push(await start(name))
  await sleep(1500)
  figures[`idle PSS each of ${many}, MiB`] = crowd.reduce((sum, { pid }) => sum + pss(pid), 0) / many
  await Promise.all(crowd.map((one) => one.stop()))
  return figures
}

async function measureAllReads(name) {
  const node = await start(name)
  try {
    return await measureReads(node)
  } finally {
    await node.stop()
  }
}

async function measureAllTransfers(name) {
  const ways = [['at once', []], ['each second', everySecond]]
  const figures = {}
  for (const [way, flags] of ways) {
    Object.assign(figures, await measureTransfers(name, `transfers, sealed ${way}`, flags, '0'))
    if (!twoCores) continue
    const all = `0-${os.availableParallelism() - 1}`
    Object.assign(figures, await measureTransfers(name, `transfers, sealed ${way}, on all cores`, flags, all))
  }
  return figures
}

const parts = { idle: measureIdle, reads: measureAllReads, transfers: measureAllTransfers }

async function measure(name) {
  const figures = {}
  for (const [part, run] of Object.entries(parts))
    if (!options.part || options.part === part) Object.assign(figures, await run(name))
  return figures
}

// --- rounds and table ----------------------------------------------------------------------------------

const wide = 56
const mostFor = { 'start to first answer, ms': 20, 'idle PSS alone, MiB': 5, [`idle PSS each of ${many}, MiB`]: 3 }
const leastFor = ['eth_blockNumber /s', 'eth_call balanceOf /s', 'eth_getLogs 1000 logs /s', 'transfers, sealed each second /s',
  'transfers, sealed at once /s']
const lessIsBetter = (row) => /ms$|us$|MiB$/.test(row)

if (spawnSync('wrk', ['-v']).error) {
  console.log('bench/rpc: not run, for there is no wrk')
  bar('the development node beside anvil', 'see bench/README.md', 'not run, for there is no wrk')
  process.exit(0)
}
fs.mkdirSync(folder, { recursive: true })
transferBodies()
const names = Object.keys(programs).filter((name) => !options.only || name === options.only)
const samples = {}
for (let round = 0; round < Number(options.rounds); round++) {
  for (const name of round % 2 ? [...names].reverse() : names) {
    for (const [row, figure] of Object.entries(await measure(name))) ((samples[row] ??= {})[name] ??= []).push(figure)
  }
}
console.log(`${''.padEnd(wide)}${names.map((name) => name.padStart(12)).join('')}${'times better'.padStart(14)}`)
for (const [row, byName] of Object.entries(samples)) {
  const [ours, anvil] = ['ours', 'anvil'].map((name) => byName[name] && median(byName[name]))
  const times = ours && anvil ? (lessIsBetter(row) ? anvil / ours : ours / anvil) : undefined
  const ratio = times?.toFixed(2) ?? '-'
  if (ours && mostFor[row]) atMost(row, mostFor[row], ours, '')
  if (leastFor.includes(row)) {
    if (times) atLeast(row, 3, times, "times anvil's")
    else bar(row, "at least 3 times anvil's", anvil === 0 ? 'anvil included none in its time' : 'not run', anvil === 0 && ours > 0 ? true : undefined)
  }
  console.log(row.padEnd(wide) + names.map((name) => median(byName[name]).toFixed(1).padStart(12)).join('') + ratio.padStart(14))
}
