// How long a block of 1,000 transfers takes, from its receipt until it is durable: p50 and p99 over 300 blocks.
//   node bench/import/block.mjs [--rounds N] [--geth PATH] [--folder DIR] [KIND...]
// The kinds: thousand (transfers to fresh accounts) and million (among a million accounts that are in the store).
// Ours: from the bytes at the chain's door (chain_import) until chain_sync has returned, on the disk under --folder, on
// all cores and, the first kind, on one. geth's: engine_newPayloadV4 and engine_forkchoiceUpdatedV3 until both have answered VALID, the
// bodies written down beforehand; its time includes HTTP and JSON (a few milliseconds), and its answer does not mean
// that the block is durable, as it keeps new states in memory and writes its database without waiting for the disk.
// With a million accounts a node is then started on the folder, and its memory at rest shown.
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import crypto from 'node:crypto'
import fs from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { ethers } from 'ethers'
import { root } from '../../scripts/solc.mjs'
import { atMost, quantile, shown } from '../bars.mjs'

const { values: options, positionals } = parseArgs({
  options: {
    rounds: { type: 'string', default: '1' },
    geth: { type: 'string', default: 'geth' },
    folder: { type: 'string', default: os.tmpdir() },
  },
  allowPositionals: true,
})
const kinds = positionals.length > 0 ? positionals : ['thousand', 'million']
const blocks = 300
const warmUp = 10 // blocks that are not counted
const restMs = 12_000
const inBuild = (...names) => path.join(root, 'build', ...names)
const bench = inBuild('bench', 'block_bench')
const node = path.join(process.env.ASHLAR_BIN ?? inBuild('bin'), 'ashlar-node')
const hasGeth = !spawnSync(options.geth, ['version'], { stdio: 'ignore' }).error
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
if (!hasGeth) console.log('peer geth: not run, for there is none (go install github.com/ethereum/go-ethereum/cmd/geth@v1.17.0, or --geth PATH)')

execFileSync(process.execPath, [path.join(root, 'bench', 'import', 'chains.mjs'), '--blocks', `${blocks}`, ...kinds], {
  stdio: 'inherit',
})

async function inFolder(name, use) {
  const data = fs.mkdtempSync(path.join(options.folder, `ashlar-block-${name}-`))
  try {
    return await use(data)
  } finally {
    fs.rmSync(data, { recursive: true, force: true })
  }
}

// --- ours ----------------------------------------------------------------------------------------------

// Milliseconds of each block, and what of them was waiting for the store.
function runOurs(data, genesis, chain, threads = []) {
  const out = execFileSync(bench, [genesis, chain, data, ...threads], { stdio: ['ignore', 'pipe', 'inherit'] }).toString()
  return out.trim().split('\n').slice(warmUp).map((line) => line.split(' ').slice(1).reduce((sum, us) => sum + Number(us), 0) / 1000)
}

async function restingPss(data) {
  const child = spawn(node, ['run', '--data', data, '--http.port', '0'], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = new Promise((resolve) => child.on('exit', resolve))
  await new Promise((resolve) => child.stdout.on('data', (text) => /http:\S+/.test(text) && resolve()))
  await sleep(restMs)
  const [, kib] = /^Pss:\s+(\d+)/m.exec(fs.readFileSync(`/proc/${child.pid}/smaps_rollup`, 'utf8'))
  child.kill()
  await ended
  return Number(kib) / 1024
}

// --- geth ----------------------------------------------------------------------------------------------

function* blocksOf(file) {
  const bytes = fs.readFileSync(file)
  for (let at = 0, length; at < bytes.length; at += length) {
    const size = bytes[at] - 0xf7
    length = 1 + size + bytes.readUIntBE(at + 1, size)
    yield ethers.decodeRlp(bytes.subarray(at, at + length))
  }
}

// The two requests of a block, as bodies; the lists' names are in the order of a Prague header.
function bodiesOf([header, transactions], id) {
  const names = ['parentHash', '', 'feeRecipient', 'stateRoot', '', 'receiptsRoot', 'logsBloom', '', 'blockNumber', 'gasLimit', 'gasUsed',
    'timestamp', 'extraData', 'prevRandao', '', 'baseFeePerGas', '', 'blobGasUsed', 'excessBlobGas', 'beaconRoot']
  const numbers = ['blockNumber', 'gasLimit', 'gasUsed', 'timestamp', 'baseFeePerGas', 'blobGasUsed', 'excessBlobGas']
  const payload = { withdrawals: [], transactions, blockHash: ethers.keccak256(ethers.encodeRlp(header)) }
  names.forEach((name, i) => {
    if (name) payload[name] = numbers.includes(name) ? ethers.toQuantity(header[i]) : header[i]
  })
  const { beaconRoot, blockHash } = payload
  delete payload.beaconRoot
  const body = (method, params) => JSON.stringify({ jsonrpc: '2.0', id, method, params })
  const state = { headBlockHash: blockHash, safeBlockHash: ethers.ZeroHash, finalizedBlockHash: ethers.ZeroHash }
  return [body('engine_newPayloadV4', [payload, [], beaconRoot, []]), body('engine_forkchoiceUpdatedV3', [state, null])]
}

const base64 = (bytes) => Buffer.from(bytes).toString('base64url')
function token(secret) {
  const words = ['{"alg":"HS256","typ":"JWT"}', JSON.stringify({ iat: Math.floor(Date.now() / 1000) })].map(base64).join('.')
  return `${words}.${crypto.createHmac('sha256', secret).update(words).digest('base64url')}`
}

async function ask(url, secret, body) {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token(secret)}` }
  const response = await fetch(url, { method: 'POST', headers, body })
  const { result, error } = await response.json()
  const status = result?.status ?? result?.payloadStatus?.status
  if (status !== 'VALID') throw new Error(`geth: ${error?.message ?? JSON.stringify(result)}`)
}

const freePort = () => new Promise((resolve) => {
  const server = net.createServer().listen(0, '127.0.0.1', () => {
    const { port } = server.address()
    server.close(() => resolve(port))
  })
})

async function serveGeth(data, secret) {
  const port = await freePort()
  const secretFile = path.join(data, 'secret')
  fs.writeFileSync(secretFile, secret.toString('hex'))
  const child = spawn(options.geth, ['--datadir', data, '--authrpc.port', `${port}`, '--authrpc.jwtsecret', secretFile, '--nodiscover',
    '--syncmode', 'full', '--maxpeers', '0', '--port', '0', '--ipcdisable', '--verbosity', '1'], { stdio: ['ignore', 'ignore', 'ignore'] })
  const url = `http://127.0.0.1:${port}`
  for (let i = 0; i < 600 && child.exitCode === null; i++) {
    if (await fetch(url).then(() => true, () => false)) return { child, url }
    await sleep(100)
  }
  child.kill()
  throw new Error('geth did not come up')
}

async function runGeth(data, genesis, chain) {
  execFileSync(options.geth, ['--datadir', data, 'init', genesis], { stdio: 'ignore' })
  const bodies = [...blocksOf(chain)].map(bodiesOf)
  const secret = crypto.randomBytes(32)
  const { child, url } = await serveGeth(data, secret)
  const ended = new Promise((resolve) => child.on('exit', resolve))
  try {
    const times = []
    for (const pair of bodies) {
      const begin = performance.now()
      for (const body of pair) await ask(url, secret, body)
      times.push(performance.now() - begin)
    }
    return times.slice(warmUp)
  } finally {
    child.kill()
    await ended
  }
}

// --- rounds and tables ----------------------------------------------------------------------------------

async function measure(kind) {
  const folder = inBuild('bench', 'import', `${kind}-${blocks}`)
  const [genesis, chain] = ['genesis.json', 'chain.rlp'].map((name) => path.join(folder, name))
  const samples = { ours: [], ...(kind === 'thousand' && { 'ours, one thread': [] }), ...(hasGeth && { geth: [] }) }
  for (let round = 0; round < Number(options.rounds); round++) {
    samples.ours.push(...await inFolder('ours', async (data) => {
      const times = runOurs(data, genesis, chain)
      if (kind === 'million' && round === 0) {
        const pss = await restingPss(data)
        console.log(`a node at rest with a million accounts in its store: ${pss.toFixed(1)} MiB PSS`)
        atMost('node at rest, 1 M accounts', 8, pss, 'MiB PSS')
      }
      return times
    }))
    if (kind === 'thousand') samples['ours, one thread'].push(...await inFolder('ours', (data) => runOurs(data, genesis, chain, ['0'])))
    if (hasGeth) samples.geth.push(...await inFolder('geth', (data) => runGeth(data, genesis, chain)))
  }
  return samples
}

console.log(`${'1,000 transfers'.padEnd(14)}${'side'.padEnd(20)}${['p50 ms', 'p99 ms', 'most'].map((c) => c.padStart(9)).join('')}`)
for (const kind of kinds) {
  const figures = {}
  for (const [side, times] of Object.entries(await measure(kind))) {
    figures[side] = [0.5, 0.99, 1].map((q) => quantile(times, q))
    console.log(kind.padEnd(14) + side.padEnd(20) + figures[side].map((ms) => ms.toFixed(1).padStart(9)).join(''))
  }
  const [p50, p99] = figures.ours
  const beside = figures.geth ? `; geth's answer ${figures.geth[0].toFixed(1)} and ${figures.geth[1].toFixed(1)}` : '; geth not run'
  shown(`block to durable, ${kind}: p50, p99`, `${p50.toFixed(1)} and ${p99.toFixed(1)} ms${beside}`)
  const [alone] = figures['ours, one thread'] ?? []
  if (alone) shown(`block to durable, ${kind}: one thread over all`, `${(alone / p50).toFixed(2)} times`)
}
