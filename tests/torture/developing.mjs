// A client of a development node with a data folder: it has blocks made, takes some back, and notes what it may count on.
// The node promises that what it answered is durable half a second later (docs/operating.md). Whoever has had an answer to
// a question asked after that knows that it is: the node does one thing after another.
import { spawn } from 'node:child_process'
import path from 'node:path'
import { root } from '../../scripts/solc.mjs'
import { addresses, request } from '../e2e/node.mjs'

export const states = 8 // of so many blocks the states are kept
const programs = process.env.ASHLAR_BIN ?? path.join(root, 'build', 'bin')
const patienceMs = 60_000
const promiseMs = 550
const [alice, bob] = addresses.map((address) => address.toLowerCase())
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

// Resolves when it serves or has ended: { rpc, ended }, ended being a promise of { status, signal, wrong }. Its files are what
// is tried, so it is not closed off from others: the layer of faults has its own.
async function startNode(data, environment = {}) {
  const child = spawn(path.join(programs, 'ashlar-node'), ['dev', '--data', data, '--port', '0', '--silent', '--state', `${states}`,
    '--sandbox=false', '--log', 'error'],
    { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...environment }, timeout: patienceMs, killSignal: 'SIGABRT' })
  let wrong = ''
  child.stderr.on('data', (text) => (wrong += text))
  const ended = new Promise((resolve) => child.on('close', (status, signal) => resolve({ status, signal, wrong })))
  const url = await new Promise((resolve) => {
    let said = ''
    child.stdout.on('data', (text) => {
      said += text
      const found = /http:\/\/[\d.]+:\d+/.exec(said)
      if (found) resolve(found[0])
    })
    ended.then(() => resolve(undefined))
  })
  const rpc = async (method, ...params) => {
    const { result, error } = await request(url, method, params)
    if (error) throw new Error(`${method}: ${error.message}`)
    return result
  }
  const stop = () => {
    child.kill('SIGTERM')
    return ended
  }
  return { rpc, stop, ended, serves: url !== undefined }
}

const hex = (value) => `0x${value.toString(16)}`
// Stores and logs the word that it is called with; branches.mjs has the words.
const writer = '0x6a5f3580603f16555f5fa0005f52600b6015f3'

// What the client does. Blocks have times of their own, so that each run makes the same.
async function work(rpc, seen) {
  let { timestamp, hash } = await rpc('eth_getBlockByNumber', 'latest', false)
  let time = Number(timestamp)
  const note = async () => seen.heads.push((await rpc('eth_getBlockByNumber', 'latest', false)).hash)
  const send = async (fields) => {
    time += 10
    await rpc('evm_setNextBlockTimestamp', hex(time))
    const sent = await rpc('eth_sendTransaction', { from: alice, gas: '0x30d40', ...fields })
    await note()
    return sent
  }
  // All that was answered until now is durable.
  const count = async () => {
    await wait(promiseMs)
    for (let i = 0; i < 2; i++) await rpc('eth_chainId')
    seen.least = seen.heads.length - 1
  }
  const store = (to, word) => send({ to, data: `0x${word.toString(16).padStart(64, '0')}` })
  seen.heads.push(hash)
  await count()
  const { contractAddress } = await rpc('eth_getTransactionReceipt', await send({ data: writer }))
  for (let word = 1; word < 4; word++) await store(contractAddress, word)
  await count()
  const back = seen.heads.at(-1)
  const snapshot = await rpc('evm_snapshot')
  await send({ to: bob, value: '0x7' })
  await store(contractAddress, 0x1001)
  await count()
  seen.heads.push(back) // before it is known, it may be so
  await rpc('evm_revert', snapshot)
  await rpc('hardhat_setCoinbase', '0x00000000000000000000000000000000000abcde')
  await rpc('anvil_setBalance', bob, '0x77')
  for (let word = 2; word < 6; word++) await store(contractAddress, 64 + word)
  await count()
}

// Resolves to how the node ended, and to the heads that the client saw, of which those before least are of the past for
// good (-1: nothing is). first: the head of a folder that is there already.
export async function develop(data, environment, first) {
  const seen = first ? { heads: [first], least: 0 } : { heads: [], least: -1 }
  const node = await startNode(data, environment)
  let failure
  if (node.serves) await work(node.rpc, seen).catch((error) => (failure = error))
  const early = failure && (await Promise.race([node.ended, wait(2000).then(() => undefined)]))
  if (failure && !early) throw failure // the node lives, and answered something unexpected
  return { ...(await node.stop()), ...seen, said: '' }
}

// Is the head one that the client may find? Then the node goes on from there.
export async function checkDeveloped(data, head, { heads, least }) {
  const node = await startNode(data)
  if (!node.serves) throw new Error(`the node does not go on: ${(await node.ended).wrong}`)
  try {
    const block = await node.rpc('eth_getBlockByNumber', 'latest', false)
    if (head !== undefined && block.hash !== head) throw new Error(`db verify found head ${head}, the node has ${block.hash}`)
    const isKnown = heads.slice(Math.max(least, 0)).includes(block.hash)
    // Made by the request that was not answered any more, or by an earlier one that was followed by none.
    const isNext = heads.length > 0 && block.parentHash === heads.at(-1)
    const isFirst = least < 0 && block.number === '0x0'
    if (!isKnown && !isNext && !isFirst)
      throw new Error(`the client could count on ${heads[least]}, and the head is block ${Number(block.number)}, ${block.hash}`)
    const sent = await node.rpc('eth_sendTransaction', { from: alice, to: bob, value: '0x1' })
    if ((await node.rpc('eth_getTransactionReceipt', sent)).status !== '0x1') throw new Error('no transaction succeeds any more')
  } finally {
    var { status, wrong } = await node.stop()
  }
  if (status !== 0) throw new Error(`gone on with, the node ended with ${status}: ${wrong}`)
}

// A folder whose next blocks have the store make a segment.
export async function makeDeveloped(data) {
  const node = await startNode(data)
  await node.rpc('hardhat_mine', hex(1024 + states - 2))
  const { status, wrong } = await node.stop()
  if (status !== 0) throw new Error(`the development node ended with ${status}: ${wrong}`)
}
