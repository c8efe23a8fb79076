// What scripts/up does once all is built: node scripts/up.mjs [flags of ashlar dev]
import { spawn } from 'node:child_process'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { ethers } from 'ethers'
import { compile, root } from './solc.mjs'

const patienceMs = 10_000
const flags = process.argv.slice(2)
const { values } = parseArgs({
  args: flags,
  options: { port: { type: 'string', default: '8545' }, host: { type: 'string', default: '127.0.0.1' } },
  strict: false,
})
const host = values.host === '0.0.0.0' ? '127.0.0.1' : values.host
const url = `http://${host}:${values.port}`

async function rpc(method, params = []) {
  const headers = { 'content-type': 'application/json' }
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
  const { result, error } = await (await fetch(url, { method: 'POST', headers, body })).json()
  if (error) throw new Error(`${method}: ${error.message}`)
  return result
}

function startChain() {
  const program = path.join(process.env.ASHLAR_BIN ?? path.join(root, 'build', 'bin'), 'ashlar')
  const chain = spawn(program, ['dev', ...flags], { stdio: ['ignore', 'inherit', 'inherit'] })
  chain.on('error', (error) => {
    console.error(`up: ${program} does not start: ${error.message}`)
    process.exit(1)
  })
  // Ctrl-C reaches the chain by itself; it is waited for either way, and its status is ours.
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => chain.kill(signal))
  chain.on('exit', (code, signal) => process.exit(code ?? (signal ? 0 : 1)))
  return chain
}

async function waitForChain() {
  const deadline = Date.now() + patienceMs
  for (;;) {
    try {
      return await rpc('eth_chainId')
    } catch (error) {
      if (Date.now() > deadline) throw new Error(`the chain does not answer at ${url}: ${error.message}`)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }
}

async function deployAccounts(owner) {
  const { abi, bytecode } = compile(['contracts/Accounts.sol']).Accounts
  const provider = new ethers.JsonRpcProvider(url, undefined, { cacheTimeout: -1, pollingInterval: 20 })
  const signer = await provider.getSigner(owner)
  const ownerDelay = 86_400
  const contract = await (await new ethers.ContractFactory(abi, bytecode, signer).deploy(owner, ownerDelay)).waitForDeployment()
  await (await contract.create('first-user', 'https://example.org/first-user')).wait()
  const account = await contract.get(1n)
  provider.destroy()
  return { address: await contract.getAddress(), account }
}

// The chain has listed the accounts and their keys already, unless it was told to be silent.
function fundedAccounts(accounts, balances) {
  const ether = balances.map((balance) => Number(ethers.formatEther(balance)))
  if (!flags.includes('--silent')) return `${accounts.length} with ${ether.at(-1)} ether each; their keys are listed above`
  return accounts.map((account, i) => `${ethers.getAddress(account)}  ${ether[i]} ether`).join('\n             ')
}

const chain = startChain()
try {
  const chainId = await waitForChain()
  const accounts = await rpc('eth_accounts')
  const balances = await Promise.all(accounts.map((account) => rpc('eth_getBalance', [account, 'latest'])))
  const { address, account } = await deployAccounts(accounts[0])
  console.log(`
RPC URL      ${url}
Chain id     ${Number(chainId)}
Accounts     ${fundedAccounts(accounts, balances)}
Contract     ${address}  (contracts/Accounts.sol)
First call   get(1) = "${account.name}" of ${account.holder}

Ctrl-C stops the chain.`)
} catch (error) {
  console.error(`up: ${error.message}`)
  chain.kill()
  process.exitCode = 1
}
