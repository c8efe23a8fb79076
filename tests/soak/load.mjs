// Everything that a node's users, good and bad, do at once. Each kind of load is a function that does some of it and
// returns; soak.mjs runs several at a time, at random.
import crypto from 'node:crypto'
import net from 'node:net'
import { ethers } from 'ethers'
import { contracts } from '../e2e/node.mjs'

const hex = (value) => `0x${BigInt(value).toString(16)}`
const randomHex = (bytes) => `0x${crypto.randomBytes(bytes).toString('hex')}`
const below = (bound) => crypto.randomInt(bound)
const pick = (list) => list[below(list.length)]

// for (i = 0; i < 150; i++) sstore(word + i, word + i + 1); log0(word), word being the calldata's.
const STORE = '5f355f5b80609614601a578181018060010190556001016003565b505f5260205fa000'
// Buys memory for a 64th of its gas and calls itself with the rest, until there is none: as much as gas can buy. The size,
// sqrt(8192 * gas) bytes, comes by four of Newton's steps.
const DEEP = `5a612000026207a120${'8082040160011c'.repeat(4)}5150505f5f5f5f5f305af100`
// Deploys what follows.
const wrap = (code) => `0x61${(code.length / 2).toString(16).padStart(4, '0')}80600a3d393df3${code}`

export async function openLoad(url, node) {
  const { rpc } = node
  const accounts = await rpc('eth_accounts')
  const tokens = new ethers.Interface(contracts.Token20.abi)
  const state = { sent: [], refused: 0, sockets: new Set(), snapshots: 0 }

  const post = async (body) => {
    const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
    const text = await response.text()
    return response.status === 200 ? JSON.parse(text) : { error: { message: text } }
  }
  const batch = async (calls) => {
    const answers = await post(JSON.stringify(calls.map(([method, ...params], id) => ({ jsonrpc: '2.0', id, method, params }))))
    return Array.isArray(answers) ? answers : []
  }
  const note = (answers) => {
    for (const { result, error } of answers) {
      if (error) state.refused++
      else if (typeof result === 'string' && result.length === 66) state.sent.push(result)
    }
    state.sent.splice(0, state.sent.length - 2000)
  }
  const deploy = async (code) => {
    const hash = await rpc('eth_sendTransaction', { from: accounts[0], data: code, gas: hex(8_000_000) })
    return (await rpc('eth_getTransactionReceipt', hash)).contractAddress
  }
  const store = await deploy(wrap(STORE))
  const deep = await deploy(wrap(DEEP))
  const token = await deploy(contracts.Token20.bytecode + (10n ** 30n).toString(16).padStart(64, '0'))
  const made = []

  // A socket that says something and then reads nothing more.
  const hang = (words, forMs) =>
    new Promise((resolve) => {
      const { port } = new URL(url)
      const socket = net.connect(Number(port), '127.0.0.1', () => {
        socket.pause()
        for (const word of words) socket.write(word)
      })
      state.sockets.add(socket)
      const end = () => {
        state.sockets.delete(socket)
        socket.destroy()
        resolve()
      }
      socket.on('error', end)
      socket.on('close', end)
      setTimeout(end, forMs)
    })
  const head = (length) =>
    `POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n`
  const request = (method, ...params) => {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
    return head(body.length) + body
  }
  const frame = (text) => {
    const [body, mask] = [Buffer.from(text), crypto.randomBytes(4)]
    for (let i = 0; i < body.length; i++) body[i] ^= mask[i % 4]
    return Buffer.concat([Buffer.from([0x81, 0xfe, body.length >> 8, body.length & 255]), mask, body])
  }
  const latest = async () => Number(await rpc('eth_blockNumber'))
  const recent = async (back) => hex(Math.max(0, (await latest()) - below(back)))

  const kinds = {
    transfers: async () =>
      note(await batch(Array.from({ length: 200 }, () => ['eth_sendTransaction', { from: pick(accounts), to: randomHex(20), value: hex(1 + below(1e6)), gas: '0x5208' }]))),
    tokens: async () =>
      note(await batch(Array.from({ length: 100 }, () => ['eth_sendTransaction', { from: accounts[0], to: token, gas: hex(100_000), data: tokens.encodeFunctionData('transfer', [randomHex(20), 1n]) }]))),
    storage: async () =>
      note(await batch(Array.from({ length: 8 }, () => ['eth_sendTransaction', { from: pick(accounts), to: store, gas: hex(4_000_000), data: randomHex(32) }]))),
    creations: async () => {
      const hashes = await batch(Array.from({ length: 4 }, () => ['eth_sendTransaction', { from: pick(accounts), gas: hex(8_000_000), data: wrap('5f5f5f5f00' + crypto.randomBytes(16_000).toString('hex')) }]))
      for (const { result } of hashes) {
        const receipt = result && (await rpc('eth_getTransactionReceipt', result))
        if (receipt) made.push(receipt.contractAddress)
      }
      made.splice(0, made.length - 5000)
    },
    calls: async () => batch(Array.from({ length: 100 }, () => ['eth_call', { to: made.length ? pick(made) : token, data: randomHex(36) }, 'latest'])),
    deep: async () => post(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_call', params: [{ to: deep }, 'latest'] })),
    logs: async () => batch([['eth_getLogs', { fromBlock: '0x0', toBlock: 'latest' }], ['eth_getLogs', { fromBlock: await recent(200), toBlock: 'latest', address: token }]]),
    proofs: async () => batch(await Promise.all(Array.from({ length: 20 }, async () => ['eth_getProof', pick([store, token, randomHex(20)]), [randomHex(32)], await recent(60)]))),
    balances: async () => batch(Array.from({ length: 500 }, () => ['eth_getBalance', randomHex(20), 'latest'])),
    traces: async () => state.sent.length && batch([['debug_traceTransaction', pick(state.sent)], ['debug_traceTransaction', pick(state.sent), { tracer: 'callTracer' }]]),
    blocks: async () => batch(await Promise.all(Array.from({ length: 30 }, async () => ['eth_getBlockByNumber', hex(below((await latest()) + 1)), true]))),
    junk: async () => {
      await post(`[${'1,'.repeat(1_000_000)}1]`)
      await post(`{"a":${'['.repeat(5000)}`)
      await post(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_sendRawTransaction', params: [randomHex(1_000_000)] }))
      await batch(Array.from({ length: 900 }, () => ['eth_sendRawTransaction', `0x02f8${crypto.randomBytes(120).toString('hex')}`]))
    },
    pool: async () => {
      await batch(Array.from({ length: 900 }, () => ['eth_sendTransaction', { from: pick(accounts), to: randomHex(20), gas: '0x5208', nonce: hex(2_000_000 + below(1e6)) }]))
      await batch([['txpool_content'], ['txpool_status']])
      if (below(4) === 0) await batch([['anvil_dropAllTransactions']])
    },
    reorgs: async () => {
      const id = await rpc('evm_snapshot')
      const isDeep = below(6) === 0
      if (!isDeep) await kinds.transfers()
      for (let rounds = isDeep ? 12 : 1; rounds > 0; rounds--) await kinds.storage()
      await rpc('evm_revert', id).catch(() => {})
    },
    stalled: async () => Promise.all(Array.from({ length: 12 }, () => hang([head(3_000_000), ' '.repeat(2_500_000)], 3000))),
    unread: async () => Promise.all(Array.from({ length: 12 }, () => hang([request('eth_getLogs', { fromBlock: '0x0', toBlock: 'latest' }), request('txpool_content'), request('debug_traceTransaction', state.sent.at(-1) ?? randomHex(32))], 5000))),
    subscribers: async () => {
      const upgrade = 'GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n'
      const words = ['newHeads', 'newPendingTransactions', 'logs'].map((what) => frame(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_subscribe', params: what === 'logs' ? [what, {}] : [what], padding: 'x'.repeat(60) })))
      await Promise.all(Array.from({ length: 20 }, () => hang([upgrade, ...words], 8000)))
    },
  }
  const close = () => {
    for (const socket of state.sockets) socket.destroy()
  }
  return { kinds, state, close }
}
