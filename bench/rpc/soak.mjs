// Memory of the development node over many transactions, its history bounded.
//   node bench/rpc/soak.mjs [--transactions N] [--history BLOCKS]
// wrk sends eth_sendTransaction on 16 connections; after each tenth the node's proportional memory is printed. The exit
// status is 1 if the last figure is more than a tenth and 2 MiB above the one after the second tenth.
import { execFileSync, spawn } from 'node:child_process'
import fs from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { memoryOf } from '../../tests/soak/memory.mjs'

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..')
const { values } = parseArgs({
  options: { transactions: { type: 'string', default: '1000000' }, history: { type: 'string', default: '256' } },
})
const wanted = Number(values.transactions)
const folder = path.join(root, 'build', 'bench', 'rpc')

const freePort = () =>
  new Promise((resolve) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })

const port = await freePort()
const url = `http://127.0.0.1:${port}`
const program = path.join(process.env.ASHLAR_BIN ?? path.join(root, 'build', 'bin'), 'ashlar')
const node = spawn(program, ['dev', '--silent', '--port', `${port}`, '--history', values.history], { stdio: 'inherit' })
process.on('exit', () => node.kill('SIGKILL'))

async function rpc(method, ...params) {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
  const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  return (await response.json()).result
}

while (!(await rpc('eth_chainId').catch(() => null))) await new Promise((resolve) => setTimeout(resolve, 5))
const accounts = await rpc('eth_accounts')
const included = async () => Number(await rpc('eth_getTransactionCount', accounts[0], 'latest'))

fs.mkdirSync(folder, { recursive: true })
const file = path.join(folder, 'soak')
const transaction = { from: accounts[0], to: accounts[1], value: '0x1', gas: '0x5208', gasPrice: '0xba43b7400' }
fs.writeFileSync(file, JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_sendTransaction', params: [transaction] }) + '\n')

const figures = []
for (let tenth = 1; tenth <= 10; tenth++) {
  while ((await included()) < (wanted * tenth) / 10) {
    execFileSync('wrk', ['-t1', '-c16', '-d2s', '-s', path.join(root, 'bench', 'rpc', 'load.lua'), url, '--', file], { stdio: 'ignore' })
  }
  figures.push(memoryOf(node.pid).pss)
  console.log(`${String(await included()).padStart(9)} transactions  ${figures.at(-1).toFixed(1)} MiB`)
}
const grew = figures[9] - figures[1]
const flat = grew <= figures[1] / 10 + 2
console.log(flat ? 'flat' : `not flat: ${grew.toFixed(1)} MiB more`)
process.exit(flat ? 0 : 1)
