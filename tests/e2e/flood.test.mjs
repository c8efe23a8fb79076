// Whoever reaches the RPC port can send worthless transactions, as many as he likes: the pool, the disk and the memory keep
// to their bounds, and who pays is heard. FLOOD_TXS says how many (20,000).
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { ethers } from 'ethers'
import { writeBranches } from '../torture/branches.mjs'
import { addresses, isAnvil, keys, nodeBinary, post, request, serveFolder } from './node.mjs'

const count = Number(process.env.FLOOD_TXS ?? 20_000)
const batch = 500
const ceilingMiB = 64
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'ashlar-flood-'))
const data = path.join(folder, 'data')
const options = { skip: isAnvil }

before(async () => {
  if (isAnvil) return
  await writeBranches(folder, { blocks: 5, seed: 3 })
  const words = ['import', '--data', data, '--genesis', path.join(folder, 'genesis.json'), path.join(folder, 'chain.rlp')]
  assert.equal(spawnSync(nodeBinary, words).status, 0)
})
after(() => fs.rmSync(folder, { recursive: true, force: true }))

const serve = () => serveFolder(data, '--memory', `${ceilingMiB}M`, '--metrics')

// Nobody signs these: of any r that is a curve point's and any s some account is the sender, and one that promises
// nothing needs to have nothing. A nonce far ahead, so that it waits for ever.
const r = '0x79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798'
function junk(number, { fee = 0, nonce = 5 } = {}) {
  const fields = [ethers.toBeHex(31337), nonce ? ethers.toBeHex(nonce) : '0x', '0x', fee ? ethers.toBeHex(fee) : '0x',
    ethers.toBeHex(21000), addresses[0], '0x', '0x', [], number & 1 ? '0x01' : '0x', r, ethers.toBeHex(number + 1)]
  return ethers.concat(['0x02', ethers.encodeRlp(fields)])
}

async function sendAll(url, raws) {
  const { json } = await post(url, raws.map((raw, id) => ({ jsonrpc: '2.0', id, method: 'eth_sendRawTransaction', params: [raw] })))
  return json.filter(({ result }) => result).length
}

async function measured(url) {
  const page = await (await fetch(`${url}/metrics`)).text()
  const value = (name) => Number(new RegExp(`^${name} (\\d+)`, 'm').exec(page)[1])
  return {
    txs: value('ashlar_txpool_transactions'),
    local: value('ashlar_txpool_local_transactions'),
    bytes: value('ashlar_txpool_bytes'),
  }
}

function residentMiB(pid) {
  return Number(/^VmRSS:\s+(\d+)/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024
}

async function sendHonest(url, key) {
  const wallet = new ethers.Wallet(key)
  const nonce = Number((await request(url, 'eth_getTransactionCount', [wallet.address, 'pending'])).result)
  const raw = await wallet.signTransaction({ type: 2, chainId: 31337, nonce, gasLimit: 21000, to: addresses[0], value: 1n,
    maxFeePerGas: 10n ** 12n, maxPriorityFeePerGas: 10n ** 9n })
  const { result, error } = await request(url, 'eth_sendRawTransaction', [raw])
  assert.ok(result, error?.message)
  return result
}

test('junk sent to the RPC port fills neither the pool nor the disk, and who pays is heard', options, async () => {
  const node = await serve()
  const honest = [await sendHonest(node.url, keys[1])]
  let highest = 0, most = 0
  for (let sent = 0; sent < count; sent += batch) {
    const taken = await sendAll(node.url, Array.from({ length: batch }, (_, i) => junk(sent + i)))
    if (sent === 0) assert.ok(taken > batch / 3, `${taken} of the first are taken`) // it is a flood that gets in
    if (sent === Math.floor(count / 2 / batch) * batch) honest.push(await sendHonest(node.url, keys[2]))
    const pool = await measured(node.url)
    highest = Math.max(highest, residentMiB(node.pid))
    most = Math.max(most, pool.bytes)
  }
  honest.push(await sendHonest(node.url, keys[3]))
  for (const hash of honest)
    assert.ok((await request(node.url, 'eth_getTransactionByHash', [hash])).result, 'it waits')
  const { result: status } = await request(node.url, 'txpool_status')
  assert.equal(Number(status.pending), honest.length)
  if (!/asan|tsan|cov/.test(nodeBinary)) assert.ok(highest < ceilingMiB, `${highest} MiB`)
  const full = await measured(node.url)
  assert.ok(most < full.bytes * 1.2, 'the pool keeps to one size')
  assert.ok(full.local * 2 < full.txs, `${full.local} of ${full.txs} are local`)
  assert.equal(await node.stop(), 0)
  // What is on disk is the local share, with what pays.
  const stats = spawnSync(nodeBinary, ['db', 'stats', '--data', data], { encoding: 'utf8' }).stdout
  assert.ok(Number(/^pool\s+(\d+)/m.exec(stats)[1]) <= full.local, stats)
  const again = await serve()
  for (const hash of honest)
    assert.ok((await request(again.url, 'eth_getTransactionByHash', [hash])).result, 'it waits over a restart')
  assert.ok((await measured(again.url)).txs <= full.local)
  assert.equal(await again.stop(), 0)
})
