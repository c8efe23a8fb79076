// A chain of blocks with reorganisations goes from a development node into a data folder, and out again.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import zlib from 'node:zlib'
import { ethers } from 'ethers'
import { root } from '../../scripts/solc.mjs'
import { writeBranches } from '../torture/branches.mjs'
import { addresses, keys, launch, request, serveFolder } from './node.mjs'

const binary = path.join(process.env.ASHLAR_BIN ?? path.join(root, 'build', 'bin'), 'ashlar-node')
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'ashlar-import-'))
const genesis = path.join(folder, 'genesis.json')
const file = path.join(folder, 'chain.rlp')
let order
let folders = 0
const newData = () => path.join(folder, `data-${++folders}`)
const run = (...words) => spawnSync(binary, words, { encoding: 'utf8' })
const importInto = (data, ...words) => run('import', '--data', data, '--genesis', genesis, ...words)

before(async () => (order = await writeBranches(folder, { blocks: 60, seed: 5 })))
after(() => fs.rmSync(folder, { recursive: true, force: true }))

function verifiedHead(data) {
  const done = run('db', 'verify', '--data', data)
  assert.equal(done.status, 0, done.stderr)
  return /blocks to \d+, (0x[0-9a-f]{64})/.exec(done.stdout)[1]
}

// How long the first `count` blocks of the file are.
function lengthOf(count) {
  const bytes = fs.readFileSync(file)
  let at = 0
  for (let i = 0; i < count; i++) {
    const digits = bytes[at] - 0xf7
    at += 1 + digits + bytes.readUIntBE(at + 1, digits)
  }
  return at
}

test('an import ends at the last block of the file and goes on where it stopped', () => {
  const data = newData()
  const half = path.join(folder, 'half.rlp')
  fs.writeFileSync(half, fs.readFileSync(file).subarray(0, lengthOf(30)))
  assert.match(importInto(data, half).stdout, new RegExp(`^30 blocks imported, 0 known before`, 'm'))
  assert.equal(verifiedHead(data), order[29].hash)
  assert.match(importInto(data, file).stdout, /^30 blocks imported, 30 known before/m)
  assert.equal(verifiedHead(data), order.at(-1).hash)
})

test('packed files are unpacked, and what is exported can be imported', () => {
  const first = newData()
  const second = newData()
  const packed = path.join(folder, 'chain.rlp.gz')
  const out = path.join(folder, 'out.rlp.gz')
  fs.writeFileSync(packed, zlib.gzipSync(fs.readFileSync(file)))
  assert.equal(importInto(first, packed).status, 0)
  assert.equal(run('export', '--data', first, out).status, 0)
  assert.equal(importInto(second, out).status, 0)
  assert.equal(verifiedHead(second), order.at(-1).hash)
})

test('a block that is not valid is named with its reason, and those before it are kept', () => {
  const data = newData()
  const bad = path.join(folder, 'bad.rlp')
  const bytes = Buffer.from(fs.readFileSync(file))
  bytes[lengthOf(20) + 150] ^= 1 // in the header of block 20 of the file, counted from 0: its state root
  fs.writeFileSync(bad, bytes)
  const done = importInto(data, bad)
  assert.equal(done.status, 1)
  assert.match(done.stderr, new RegExp(`block ${order[20].number}, 0x[0-9a-f]{64}, was refused: `))
  assert.equal(verifiedHead(data), order[19].hash)
})

test('a file that is cut off says so after its whole blocks were taken', () => {
  const data = newData()
  const cut = path.join(folder, 'cut.rlp')
  fs.writeFileSync(cut, fs.readFileSync(file).subarray(0, lengthOf(11) - 3))
  const done = importInto(data, cut)
  assert.equal(done.status, 1)
  assert.match(done.stderr, /entry 10 ends too early/)
  assert.equal(verifiedHead(data), order[9].hash)
})

test('another genesis is refused for a folder that holds a chain', () => {
  const data = newData()
  const other = path.join(folder, 'other.json')
  assert.equal(importInto(data, file).status, 0)
  fs.writeFileSync(other, JSON.stringify({ ...JSON.parse(fs.readFileSync(genesis)), extraData: '0x01' }))
  const done = run('import', '--data', data, '--genesis', other, file)
  assert.equal(done.status, 1)
  assert.match(done.stderr, /another genesis/)
  assert.match(run('import', '--data', newData(), file).stderr, /holds no chain yet: --genesis FILE/)
})

test('a folder that is misspelt is not made, and an empty name is none', () => {
  const data = newData()
  for (const words of [['import', file], ['run', '--http.port', '0'], ['db', 'compact'], ['db', 'stats'], ['export', '-']]) {
    const done = run(...words, '--data', data)
    assert.equal(done.status, 1, words.join(' '))
    assert.match(done.stderr, /holds no chain yet|there is no folder/)
    assert.ok(!fs.existsSync(data), words.join(' '))
  }
  const made = newData(), snapshot = path.join(folder, 'some.snapshot')
  assert.equal(importInto(made, file).status, 0)
  assert.equal(run('export', '--data', made, '--snapshot', snapshot).status, 0)
  for (const words of [['init', '--genesis', genesis], ['import', '--genesis', genesis, file], ['db', 'compact'],
    ['import', '--snapshot', snapshot], ['run', '--http.port', '0'], ['dev', '--port', '0']]) {
    const done = run(...words, '--data', '')
    assert.notEqual(done.status, 0, words.join(' '))
    assert.match(done.stderr, /--data is empty/, words.join(' '))
  }
})

test('an interrupted import ends cleanly with what it has', async () => {
  const data = newData()
  const child = launch(binary, ['import', '--data', data, '--genesis', genesis, '--sync', '1', file], { stdio: ['ignore', 'pipe', 'ignore'] })
  let said = ''
  child.stdout.on('data', (text) => {
    if (!said) child.kill('SIGINT')
    said += text
  })
  const status = await new Promise((resolve) => child.on('close', resolve))
  assert.equal(status, 0)
  assert.ok(order.some(({ hash }) => hash === verifiedHead(data)))
})

async function serve(data) {
  const { url, stop } = await serveFolder(data)
  return { url, end: stop }
}

test('run serves the chain, and answers -32601 to what only a development node can do', async () => {
  const data = newData()
  assert.equal(importInto(data, file).status, 0)
  const { url, end } = await serve(data)
  try {
    const head = (await request(url, 'eth_getBlockByNumber', ['latest', false])).result
    assert.equal(head.hash, order.at(-1).hash)
    assert.ok(BigInt((await request(url, 'eth_getBalance', [addresses[0], 'latest'])).result) > 0n)
    const number = `0x${(Number(head.number) - 10).toString(16)}`
    assert.ok((await request(url, 'eth_getProof', [addresses[0], [], number])).result.accountProof.length > 0)
    assert.equal((await request(url, 'evm_mine')).error.code, -32601)
    assert.deepEqual((await request(url, 'eth_accounts')).result, [])
  } finally {
    assert.equal(await end('SIGTERM'), 0)
  }
})

test('transactions sent to run wait over a restart and a kill', async () => {
  const data = newData()
  assert.equal(importInto(data, file).status, 0)
  const wallet = new ethers.Wallet(keys[1])
  const sign = (nonce) =>
    wallet.signTransaction({ type: 2, chainId: 31337, nonce, gasLimit: 21000, to: addresses[0], value: 1n, maxFeePerGas: 10n ** 12n, maxPriorityFeePerGas: 1n })
  let node = await serve(data)
  const nonce = Number((await request(node.url, 'eth_getTransactionCount', [wallet.address, 'latest'])).result)
  const first = (await request(node.url, 'eth_sendRawTransaction', [await sign(nonce)])).result
  assert.match(first, /^0x/)
  assert.equal(await node.end('SIGTERM'), 0)
  node = await serve(data)
  assert.equal((await request(node.url, 'eth_getTransactionByHash', [first])).result.blockHash, null)
  const second = (await request(node.url, 'eth_sendRawTransaction', [await sign(nonce + 1)])).result
  await new Promise((resolve) => setTimeout(resolve, 900)) // durable half a second later
  assert.equal(await node.end('SIGKILL'), 'SIGKILL')
  node = await serve(data)
  assert.equal((await request(node.url, 'eth_getTransactionByHash', [second])).result.blockHash, null)
  assert.deepEqual((await request(node.url, 'txpool_status')).result, { pending: '0x2', queued: '0x0' })
  assert.equal(await node.end('SIGTERM'), 0)
  assert.equal(verifiedHead(data), order.at(-1).hash)
})
