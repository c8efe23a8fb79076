// Imports recorded chains (execution-apis, geth's ethtest, hive) into data folders, and compares where they end.
//   node tests/spec/import.mjs ASHLAR-NODE FIXTURES       FIXTURES holds e/ and f/, unpacked
import { spawn, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'

const [program, fixtures] = process.argv.slice(2)
const hive = path.join(fixtures, 'f/hive/simulators')
const ethtest = path.join(fixtures, 'f/go-ethereum/cmd/devp2p/internal/ethtest/testdata')
const headOf = (folder) =>
  JSON.parse(fs.readFileSync(path.join(folder, 'headfcu.json'))).params[0].headBlockHash

// Where the source names no head, the one that its last block has, and how many blocks there are.
const chains = [
  { name: 'execution-apis', folder: path.join(fixtures, 'e/execution-apis/tests') },
  { name: 'hive sync', folder: path.join(hive, 'ethereum/sync/chain') },
  { name: 'ethtest', folder: ethtest, state: path.join(ethtest, 'headstate.json') },
  { name: 'hive devp2p', folder: path.join(hive, 'devp2p/init'), file: 'fullchain.rlp', number: 3000 },
]

async function ask(url, method, params) {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
  const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  return (await response.json()).result
}

// Every account of a geth dump, its storage root, and the code's hash by its proof.
async function checkState(data, dump) {
  const child = spawn(program, ['run', '--data', data, '--http.port', '0'], { stdio: ['ignore', 'pipe', 'inherit'] })
  try {
    const url = await new Promise((resolve) =>
      child.stdout.on('data', (text) => /http:\S+/.test(text) && resolve(/http:\S+/.exec(text)[0])),
    )
    for (const [key, account] of Object.entries(dump.accounts)) {
      const address = account.address ?? key
      const found = await ask(url, 'eth_getProof', [address, [], 'latest'])
      if (BigInt(found.balance) !== BigInt(account.balance) || Number(found.nonce) !== account.nonce ||
          found.codeHash !== account.codeHash || found.storageHash !== account.root)
        throw new Error(`account ${address} differs`)
    }
    return Object.keys(dump.accounts).length
  } finally {
    child.kill()
    await new Promise((resolve) => child.on('exit', resolve))
  }
}

async function check({ name, folder, file = 'chain.rlp', number, state }) {
  const data = fs.mkdtempSync(path.join(os.tmpdir(), 'ashlar-import-'))
  try {
    const done = spawnSync(program, ['import', '--data', data, '--genesis', path.join(folder, 'genesis.json'),
      path.join(folder, file)], { encoding: 'utf8' })
    if (done.status !== 0) throw new Error(done.stderr)
    const verified = spawnSync(program, ['db', 'verify', '--data', data], { encoding: 'utf8' })
    if (verified.status !== 0) throw new Error(verified.stderr)
    const [, height, hash] = /blocks to (\d+), (0x[0-9a-f]{64})/.exec(verified.stdout)
    if (number === undefined && hash !== headOf(folder)) throw new Error(`the head is ${hash}`)
    if (number !== undefined && Number(height) !== number) throw new Error(`the head is block ${height}`)
    if (state) await checkState(data, JSON.parse(fs.readFileSync(state)))
    return true
  } catch (error) {
    console.log(`FAIL ${name}: ${error.message.trim()}`)
    return false
  } finally {
    fs.rmSync(data, { recursive: true, force: true })
  }
}

let passed = 0
for (const chain of chains) passed += await check(chain)
console.log(`${passed} passed, ${chains.length - passed} failed`)
process.exitCode = passed === chains.length ? 0 : 1
