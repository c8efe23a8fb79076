// Starts a development node for a test file and stops it again.
//   const node = await startNode()          // ashlar dev on a free port
//   node.url, node.rpc(method, params), node.stop()
// DEV_NODE=anvil runs the same tests against anvil from npm, the peer they are held against.
// ASHLAR_E2E_RPC=http://host:port uses a node that runs already.
import { spawn } from 'node:child_process'
import net from 'node:net'
import path from 'node:path'
import { compile, root } from '../../scripts/solc.mjs'

const binaryFolder = process.env.ASHLAR_BIN ?? path.join(root, 'build', 'bin')
export const nodeBinary = path.join(binaryFolder, 'ashlar-node')
export const isAnvil = process.env.DEV_NODE === 'anvil'
export const castBinary = path.join(root, 'node_modules', '@foundry-rs', `cast-linux-${cpu()}`, 'bin', 'cast')
export const anvilBinary = path.join(root, 'node_modules', '@foundry-rs', `anvil-linux-${cpu()}`, 'bin', 'anvil')

// The first of the ten accounts of the well-known test mnemonic, m/44'/60'/0'/0/i.
export const mnemonic = 'test test test test test test test test test test test junk'
export const keys = [
  '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80',
  '0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d',
  '0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a',
  '0x7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6',
]
export const addresses = [
  '0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266',
  '0x70997970C51812dc3A010C7d01b50e0d17dc79C8',
  '0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC',
  '0x90F79bf6EB2c4f870365E785982E1f101E93b906',
]

export const contracts = compile([
  'contracts/Accounts.sol',
  ...['Token20', 'Token721', 'Ledger', 'Trials', 'Explored'].map((name) => `tests/e2e/contracts/${name}.sol`),
])

function cpu() {
  return process.arch === 'x64' ? 'amd64' : process.arch
}

// Every child of a test file ends with the file, however that ends: also when a check fails before its stop().
const children = new Set()
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL')
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(1))

// Whether the file waits for the child.
function hold(child, isHeld) {
  for (const part of [child, child.stdin, child.stdout, child.stderr]) part?.[isHeld ? 'ref' : 'unref']?.()
}

// A child of which nothing is awaited any more does not keep its file from ending either; what is awaited of one that has
// been let go, its end for example, is awaited inside of attended().
export function launch(program, argv, options) {
  const child = spawn(program, argv, options)
  children.add(child)
  child.once('exit', () => children.delete(child))
  return child
}
export const letGo = (child) => hold(child, false)
export async function attended(child, promise) {
  hold(child, true)
  try {
    return await promise
  } finally {
    hold(child, false)
  }
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = net.createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}

// One JSON-RPC request over plain HTTP; the whole answer, errors included.
export async function post(url, body, headers = {}) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, json: text === '' ? undefined : JSON.parse(text) }
}

let lastId = 0
export async function request(url, method, params = []) {
  return (await post(url, { jsonrpc: '2.0', id: ++lastId, method, params })).json
}

async function waitUntilReady(url, child) {
  const patienceMs = 10_000
  const deadline = Date.now() + patienceMs
  for (;;) {
    if (child && child.exitCode !== null) throw new Error(`the node ended with status ${child.exitCode}`)
    try {
      const answer = await request(url, 'eth_chainId')
      if (answer.result) return
    } catch (error) {
      if (Date.now() > deadline) throw new Error(`no answer from ${url} within ${patienceMs} ms`, { cause: error })
    }
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

function commandFor(port, flags, peer) {
  if (peer) return [anvilBinary, ['--port', `${port}`, '--silent', '--steps-tracing', ...flags]]
  return [path.join(binaryFolder, 'ashlar'), ['dev', '--port', `${port}`, '--silent', ...flags]]
}

// peer: anvil itself, for tests that ask both.
export async function startNode(flags = [], { stderr = 'inherit', peer = isAnvil } = {}) {
  const given = peer && !isAnvil ? undefined : process.env.ASHLAR_E2E_RPC
  let url = given
  let child
  if (!given) {
    const port = await freePort()
    const [program, argv] = commandFor(port, flags, peer)
    child = launch(program, argv, { stdio: ['ignore', 'ignore', stderr] })
    await new Promise((resolve, reject) => child.once('spawn', resolve).once('error', reject))
    url = `http://127.0.0.1:${port}`
  }
  await waitUntilReady(url, child)
  return handle(url, child)
}

// child: absent when somebody else runs it.
function handle(url, child) {
  if (child) letGo(child)
  return {
    url,
    pid: child?.pid,
    // The result of one request; an error answer is thrown with its code and data.
    async rpc(method, ...params) {
      const { result, error } = await request(url, method, params)
      if (error) throw Object.assign(new Error(`${method}: ${error.message}`), error)
      return result
    },
    // To what it ends with: a status, or the signal that ended it.
    async stop(signal = 'SIGTERM') {
      if (!child) return 0
      const ended = new Promise((resolve) => child.once('exit', (code, by) => resolve(code ?? by)))
      if (child.exitCode !== null || child.signalCode !== null) return child.exitCode ?? child.signalCode
      child.kill(signal)
      return attended(child, ended)
    },
  }
}

// `ashlar-node run` on a data folder.
export async function serveFolder(data, ...words) {
  const child = launch(nodeBinary, ['run', '--data', data, '--http.port', '0', ...words], { stdio: ['ignore', 'pipe', 'inherit'] })
  const url = await new Promise((resolve, reject) => {
    let text = ''
    child.stdout.on('data', (part) => {
      text += part
      const found = /Listening on (http:\S+)/.exec(text)
      if (found) resolve(found[1])
    })
    child.once('error', reject).once('exit', () => reject(new Error(`the node ended: ${text}`)))
  })
  return handle(url, child)
}

// The receipt of a transaction just sent. An instant-seal chain has it at once; anvil seals a moment later.
export async function receiptOf(node, hash) {
  for (let tries = isAnvil ? 200 : 1; tries > 0; tries--) {
    const receipt = await node.rpc('eth_getTransactionReceipt', hash)
    if (receipt) return receipt
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  throw new Error(`no receipt of ${hash}`)
}
