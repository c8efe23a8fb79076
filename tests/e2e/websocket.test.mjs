// WebSocket and subscriptions, through the clients people use: ethers, viem and web3.js; and what hostile or slow
// peers meet, through bare sockets.
import assert from 'node:assert/strict'
import crypto from 'node:crypto'
import fs from 'node:fs'
import net from 'node:net'
import { after, before, test } from 'node:test'
import { ethers } from 'ethers'
import { createPublicClient, webSocket } from 'viem'
import { Web3 } from 'web3'
import WebSocket from 'ws'
import { sendFrom } from './accounts.mjs'
import { addresses, contracts, isAnvil, keys, startNode } from './node.mjs'

const iface = new ethers.Interface(contracts.Trials.abi)
const [alice, bob] = addresses
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
const wsOf = (node) => node.url.replace('http', 'ws')
let node, trials

before(async () => {
  node = await startNode()
  trials = (await sendFrom(node, alice, undefined, contracts.Trials.bytecode)).contractAddress
})
after(() => node?.stop())

// A transaction with one log.
const log = () => sendFrom(node, alice, trials, iface.encodeFunctionData('logMany', [1]))

// A WebSocket that speaks JSON-RPC: request() gives the whole answer, events gathers what comes unasked.
async function open(target = node, options = {}) {
  const socket = new WebSocket(wsOf(target), options)
  const waiting = new Map()
  const events = []
  let lastId = 0
  socket.on('message', (data) => {
    const message = JSON.parse(data)
    if (message.id === undefined) events.push(message.params)
    else waiting.get(message.id)?.(message)
  })
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
  const request = (method, ...params) =>
    new Promise((resolve) => {
      waiting.set(++lastId, resolve)
      socket.send(JSON.stringify({ jsonrpc: '2.0', id: lastId, method, params }))
    })
  const closed = new Promise((resolve) => socket.once('close', (code, reason) => resolve({ code, reason: `${reason}` })))
  return { socket, request, events, closed }
}

async function until(condition, what, ms = 5000) {
  for (const end = Date.now() + ms; !condition(); await pause(5)) assert.ok(Date.now() < end, `not in time: ${what}`)
}

// --- clients ---------------------------------------------------------------------------------------

test('ethers: blocks, logs and pending transactions come by themselves', async () => {
  const provider = new ethers.WebSocketProvider(wsOf(node))
  const contract = new ethers.Contract(trials, contracts.Trials.abi, new ethers.Wallet(keys[0], provider))
  const seen = { blocks: [], logs: [], pending: [] }
  await provider.on('block', (number) => seen.blocks.push(number))
  await provider.on('pending', (hash) => seen.pending.push(hash))
  await contract.on('*', (event) => seen.logs.push(event.log))
  const receipt = await (await contract.log('by ethers', '0x00')).wait()
  await until(() => seen.blocks.length && seen.logs.length && seen.pending.length, 'events')
  assert.equal(seen.blocks[0], receipt.blockNumber)
  assert.equal(seen.pending[0], receipt.hash)
  assert.equal(seen.logs[0].transactionHash, receipt.hash)
  assert.equal(seen.logs[0].removed, false)
  await provider.destroy()
})

test('viem: watchBlocks, watchContractEvent and watchPendingTransactions', async () => {
  const client = createPublicClient({ transport: webSocket(wsOf(node)) })
  const seen = { blocks: [], logs: [], pending: [] }
  const onError = (error) => seen.blocks.push(error)
  const stop = [
    client.watchBlocks({ onBlock: (block) => seen.blocks.push(block), onError }),
    client.watchContractEvent({ address: trials, abi: contracts.Trials.abi, onLogs: (logs) => seen.logs.push(...logs), onError }),
    client.watchPendingTransactions({ onTransactions: (hashes) => seen.pending.push(...hashes), onError }),
  ]
  await pause(100)
  const receipt = await log()
  await until(() => seen.blocks.length && seen.logs.length && seen.pending.length, 'events')
  assert.equal(seen.blocks[0].hash, receipt.blockHash)
  assert.equal(seen.logs[0].transactionHash, receipt.transactionHash)
  assert.equal(seen.pending[0], receipt.transactionHash)
  for (const one of stop) one()
  await (await client.transport.getRpcClient()).close()
})

test('web3.js: newHeads, logs, newPendingTransactions and syncing', async () => {
  const web3 = new Web3(new Web3.providers.WebsocketProvider(wsOf(node)))
  const seen = { heads: [], logs: [], pending: [] }
  const heads = await web3.eth.subscribe('newHeads')
  heads.on('data', (head) => seen.heads.push(head))
  const logs = await web3.eth.subscribe('logs', { address: trials })
  logs.on('data', (one) => seen.logs.push(one))
  const pending = await web3.eth.subscribe('newPendingTransactions')
  pending.on('data', (hash) => seen.pending.push(hash))
  if (!isAnvil) await (await web3.eth.subscribe('syncing')).unsubscribe()
  const receipt = await log()
  await until(() => seen.heads.length && seen.logs.length && seen.pending.length, 'events')
  assert.equal(seen.heads[0].hash, receipt.blockHash)
  assert.equal(seen.logs[0].transactionHash, receipt.transactionHash)
  assert.equal(seen.pending[0], receipt.transactionHash)
  await heads.unsubscribe()
  await log()
  await until(() => seen.logs.length === 2, 'the second log')
  assert.equal(seen.heads.length, 1)
  web3.provider.disconnect()
})

// --- subscriptions ---------------------------------------------------------------------------------

test('the receipt is there as soon as the head is announced', async () => {
  const { socket, request, events } = await open()
  await request('eth_subscribe', 'newHeads')
  let asked
  socket.on('message', (data) => {
    const { params } = JSON.parse(data)
    if (params) asked ??= request('eth_getBlockReceipts', params.result.hash)
  })
  const receipt = await log()
  await until(() => events.length === 1, 'the head')
  assert.deepEqual((await asked).result.map((one) => one.transactionHash), [receipt.transactionHash])
  const { result: block } = await request('eth_getBlockByHash', events[0].result.hash, false)
  for (const key of Object.keys(events[0].result)) assert.deepEqual(events[0].result[key], block[key], key)
  socket.close()
})

test('logs are chosen by address and topics, and taken back when the chain goes back', { skip: isAnvil }, async () => {
  const { socket, request, events } = await open()
  const all = (await request('eth_subscribe', 'logs', { address: trials })).result
  await request('eth_subscribe', 'logs', { address: bob })
  await request('eth_subscribe', 'logs', { topics: ['0x' + '00'.repeat(32)] })
  const snapshot = await node.rpc('evm_snapshot')
  const one = await log()
  const two = await log()
  await until(() => events.length === 2, 'two logs')
  await node.rpc('evm_revert', snapshot)
  await until(() => events.length === 4, 'two logs taken back')
  assert.ok(events.every((event) => event.subscription === all))
  assert.deepEqual(
    events.map(({ result }) => [result.blockHash, result.removed]),
    [[one.blockHash, false], [two.blockHash, false], [two.blockHash, true], [one.blockHash, true]],
  )
  const { removed, ...rest } = events[3].result
  assert.ok(removed)
  assert.deepEqual({ ...rest, removed: false }, events[0].result)
  await log()
  await until(() => events.length === 5, 'the log in their place')
  assert.equal(events[4].result.removed, false)
  socket.close()
})

test('newPendingTransactions with true gives whole transactions', async () => {
  const { socket, request, events } = await open()
  await request('eth_subscribe', 'newPendingTransactions', true)
  const receipt = await log()
  await until(() => events.length === 1, 'the transaction')
  assert.equal(events[0].result.hash, receipt.transactionHash)
  assert.equal(events[0].result.from, alice.toLowerCase())
  if (!isAnvil) assert.equal(events[0].result.blockHash, null)
  socket.close()
})

test('blocks of an interval are announced, and an unsubscribed line stays quiet', async () => {
  const slow = await startNode(['--block-time', '1'])
  const { socket, request, events } = await open(slow)
  const { result: id } = await request('eth_subscribe', 'newHeads')
  await until(() => events.length >= 1, 'a head')
  assert.equal((await request('eth_unsubscribe', id)).result, true)
  const told = events.length
  await pause(1500)
  assert.equal(events.length, told)
  if (!isAnvil) assert.equal((await request('eth_unsubscribe', id)).error.message, 'subscription not found')
  socket.close()
  await slow.stop()
})

test('over HTTP, and for what there is no subscription to, geth\'s words', { skip: isAnvil }, async () => {
  await assert.rejects(node.rpc('eth_subscribe', 'newHeads'), { code: -32001, message: /notifications not supported/ })
  const { socket, request } = await open()
  const { error } = await request('eth_subscribe', 'newWhatever')
  assert.deepEqual(error, { code: -32601, message: 'no "newWhatever" subscription in eth namespace' })
  assert.equal((await request('eth_subscribe', 'logs', { topics: 'none' })).error.code, -32602)
  socket.close()
})

test('batches, errors and large answers are the same as over HTTP', async () => {
  const { socket, request } = await open()
  const answer = new Promise((resolve) => socket.once('message', (data) => resolve(JSON.parse(data))))
  socket.send('[{"jsonrpc":"2.0","id":90,"method":"eth_chainId"},{"jsonrpc":"2.0","id":91,"method":"no_such"}]')
  assert.deepEqual((await answer).map((one) => [one.id, one.result ?? one.error.code]), [[90, '0x7a69'], [91, -32601]])
  const code = '0x' + '5b'.repeat(300_000)
  assert.ok((await request('hardhat_setCode', bob, code)).result !== undefined)
  assert.equal((await request('eth_getCode', bob, 'latest')).result, code)
  await request('hardhat_setCode', bob, '0x')
  socket.close()
})

test('eth_sendRawTransactionSync waits for the block, over HTTP and WebSocket', { skip: isAnvil }, async () => {
  const slow = await startNode(['--block-time', '1'])
  const signed = async (index, nonce) => {
    const wallet = new ethers.Wallet(keys[index])
    return wallet.signTransaction({ type: 2, chainId: 31337, nonce, to: bob, gasLimit: 21000, maxFeePerGas: 10n ** 10n, maxPriorityFeePerGas: 1 })
  }
  const { socket, request } = await open(slow)
  const [overHttp, overWs] = await Promise.all([
    slow.rpc('eth_sendRawTransactionSync', await signed(0, 0)),
    request('eth_sendRawTransactionSync', await signed(1, 0)),
  ])
  assert.equal(overHttp.status, '0x1')
  assert.equal(overWs.result.status, '0x1')
  assert.equal(overHttp.blockHash, overWs.result.blockHash)
  const began = Date.now()
  const late = await request('eth_sendRawTransactionSync', await signed(1, 5), 200)
  assert.equal(late.error.code, 4)
  assert.match(late.error.data, /^0x[0-9a-f]{64}$/)
  assert.ok(Date.now() - began >= 190)
  // Who leaves while waiting does no harm.
  const gone = await open(slow)
  gone.request('eth_sendRawTransactionSync', await signed(1, 6))
  await pause(50)
  gone.socket.terminate()
  await pause(50)
  assert.ok(await slow.rpc('eth_blockNumber'))
  socket.close()
  // A request that still waits when the node is told to stop does not hold it up.
  slow.rpc('eth_sendRawTransactionSync', await signed(0, 7)).catch(() => {})
  await pause(50)
  assert.equal(await slow.stop(), 0)
})

// --- hostile and slow peers --------------------------------------------------------------------------

const upgrade = (more = '') =>
  'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
  `Sec-WebSocket-Key: ${crypto.randomBytes(16).toString('base64')}\r\n${more}\r\n`

// Sends bytes after a handshake; gives the code of the close frame that comes back.
async function closeCode(...parts) {
  const socket = net.connect(new URL(node.url).port, '127.0.0.1')
  let heard = Buffer.alloc(0)
  socket.on('data', (data) => (heard = Buffer.concat([heard, data])))
  socket.on('error', () => {})
  socket.write(upgrade())
  await until(() => heard.includes('\r\n\r\n'), 'the handshake')
  for (const part of parts) socket.write(part)
  const start = heard.indexOf('\r\n\r\n') + 4
  await until(() => heard.length >= start + 4 && heard[start] === 0x88, 'a close frame')
  socket.destroy()
  return heard.readUInt16BE(start + 2)
}
const frame = (first, payload, length = payload.length) => {
  const size = length < 126 ? [0x80 | length] : [0x80 | 127, ...Buffer.from(length.toString(16).padStart(16, '0'), 'hex')]
  return Buffer.concat([Buffer.from([first, ...size, 0, 0, 0, 0]), Buffer.from(payload)])
}

test('hostile frames are closed with the right code', { skip: isAnvil }, async () => {
  assert.equal(await closeCode(Buffer.from([0x81, 2, 0x7b, 0x7d])), 1002, 'no mask')
  assert.equal(await closeCode(frame(0xc1, '{}')), 1002, 'a reserved bit')
  assert.equal(await closeCode(frame(0x89, 'x'.repeat(126))), 1002, 'a control frame too long')
  assert.equal(await closeCode(frame(0x09, 'x')), 1002, 'a control frame in fragments')
  assert.equal(await closeCode(frame(0x80, 'x')), 1002, 'nothing to continue')
  assert.equal(await closeCode(frame(0x81, [0x22, 0xff, 0x22])), 1007, 'not UTF-8')
  assert.equal(await closeCode(frame(0x82, '{}')), 1003, 'binary')
  assert.equal(await closeCode(frame(0x81, 'x', 2 ** 40)), 1009, 'a terabyte')
  assert.equal(await closeCode(frame(0x01, ''), ...Array(5000).fill(frame(0x00, ''))), 1008, 'a flood of fragments')
  const { socket, closed } = await open()
  socket.send(' '.repeat(15 * 1024 * 1024 + 1))
  assert.equal((await closed).code, 1009)
})

test('fifteen megabytes are taken, in one frame or in a thousand', async () => {
  const { socket, request } = await open()
  const padded = JSON.stringify({ jsonrpc: '2.0', id: 70, method: 'eth_chainId' }).padEnd(15 * 1024 * 1024)
  for (const pieces of [1, 1000]) {
    const answer = new Promise((resolve) => socket.once('message', (data) => resolve(JSON.parse(data))))
    const size = Math.ceil(padded.length / pieces)
    for (let i = 0; i < pieces; i++) socket.send(padded.slice(i * size, (i + 1) * size), { fin: i === pieces - 1 })
    assert.equal((await answer).result, '0x7a69')
  }
  assert.equal((await request('eth_chainId')).result, '0x7a69')
  socket.close()
})

test('a page of an origin without leave cannot open a WebSocket', { skip: isAnvil }, async () => {
  const strict = await startNode(['--cors', 'https://good.example'])
  await assert.rejects(open(strict, { origin: 'https://evil.example' }), /403/)
  const { socket } = await open(strict, { origin: 'https://good.example' })
  socket.close()
  await assert.rejects(open(strict, { headers: { host: 'evil.example' } }), /403/)
  await strict.stop()
})

test('who does not read for a while costs no memory and misses nothing', { skip: isAnvil }, async () => {
  const fresh = await startNode()
  const { socket, request, events } = await open(fresh)
  await request('eth_subscribe', 'newHeads')
  const kib = () => Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${fresh.pid}/status`, 'utf8'))[1])
  const mine = async () => {
    const before = kib()
    await fresh.rpc('hardhat_mine', '0x2710')
    return kib() - before
  }
  await mine()
  await until(() => events.length === 10000, '10000 heads', 30_000)
  const usual = await mine()
  await until(() => events.length === 20000, '20000 heads', 30_000)
  const deaf = await open(fresh)
  await deaf.request('eth_subscribe', 'newHeads')
  deaf.socket.pause()
  socket.pause()
  const grown = await mine()
  assert.ok(grown < usual + 8000, `10000 blocks took ${usual} KiB with readers and ${grown} KiB without`)
  socket.resume()
  await until(() => events.length === 30000, '30000 heads', 60_000)
  events.forEach(({ result }, i) => assert.equal(Number(result.number), i + 1))
  socket.close()
  // A reader that has stopped does not hold the node up when it is told to stop.
  assert.equal(await fresh.stop(), 0)
  deaf.socket.terminate()
})

test('who lags behind what is held is closed, and told why', { skip: isAnvil }, async () => {
  const short = await startNode(['--history', '64'])
  const { socket, request, closed } = await open(short)
  await request('eth_subscribe', 'newHeads')
  socket.pause()
  for (let i = 0; i < 6; i++) await short.rpc('hardhat_mine', '0x7d0')
  socket.resume()
  const { code, reason } = await closed
  assert.equal(code, 1008)
  assert.match(reason, /too slow: blocks to tell of are no longer held/)
  await short.stop()
})

test('lines that come and go leave nothing behind', async () => {
  const kib = () => Number(/Private_Dirty:\s+(\d+)/.exec(fs.readFileSync(`/proc/${node.pid}/smaps_rollup`, 'utf8'))[1])
  const round = async () => {
    const lines = await Promise.all(Array.from({ length: 50 }, () => open()))
    await Promise.all(lines.map(({ request }) => request('eth_subscribe', 'logs', { address: trials })))
    for (const { socket } of lines) socket.terminate()
    await pause(20)
  }
  for (let i = 0; i < 5; i++) await round()
  const before = kib()
  for (let i = 0; i < 20; i++) await round()
  assert.ok(kib() - before < 1024, `${kib() - before} KiB more after 1000 lines`)
})
