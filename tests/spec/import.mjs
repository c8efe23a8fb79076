// Imports recorded chains (execution-apis, geth's ethtest, hive) into data folders, and compares what comes of them
// with everything that the source recorded: forks, heads, headers, each block's roots, and whole states.
//   node tests/spec/import.mjs ASHLAR-NODE FIXTURES       FIXTURES holds e/ and f/, unpacked
// Where no state was recorded, the head's root stands for it: `db verify` hashes all accounts and slots anew.
import { spawn, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { ethers } from 'ethers'

const [program, fixtures] = process.argv.slice(2)
const hive = path.join(fixtures, 'f/hive/simulators')
const graphql = path.join(hive, 'ethereum/graphql')

const chains = [
  { name: 'execution-apis', folder: path.join(fixtures, 'e/execution-apis/tests') },
  { name: 'ethtest', folder: path.join(fixtures, 'f/go-ethereum/cmd/devp2p/internal/ethtest/testdata') },
  { name: 'hive sync', folder: path.join(hive, 'ethereum/sync/chain') },
  { name: 'hive devp2p', folder: path.join(hive, 'devp2p/init'), file: 'fullchain.rlp' },
  { name: 'hive devp2p half', folder: path.join(hive, 'devp2p/init'), file: 'halfchain.rlp' },
  { name: 'hive graphql', folder: path.join(graphql, 'init'), file: 'testBlockchain.blocks', genesis: hiveGenesis,
    cases: path.join(graphql, 'testcases') },
]

const readJson = (file) => JSON.parse(fs.readFileSync(file))
const equal = (what, found, expected) => {
  const [a, b] = [found, expected].map((value) => JSON.stringify(value)?.toLowerCase())
  if (a !== b) throw new Error(`${what} is ${a}, not ${b}`)
}

// hive names what its clients know under another name, or know without being told.
function hiveGenesis(folder) {
  const genesis = readJson(path.join(folder, 'testGenesis.json'))
  delete genesis.config.frontierBlock
  genesis.config.blobSchedule = { cancun: { target: 3, max: 6, baseFeeUpdateFraction: 3338477 } }
  return genesis
}

// --- what the sources recorded --------------------------------------------------------------------------

// The hash of the file's last block, by other code than ours.
function lastHash(file) {
  const bytes = fs.readFileSync(file)
  let last
  for (let at = 0, length; at < bytes.length; at += length) {
    if (bytes[at] < 0xf8) throw new Error('a block is no list')
    const size = bytes[at] - 0xf7
    length = 1 + size + bytes.readUIntBE(at + 1, size)
    last = bytes.subarray(at, at + length)
  }
  return ethers.keccak256(ethers.encodeRlp(ethers.decodeRlp(last)[0]))
}

function checkHead(found, { folder, file }, chainFile) {
  equal('the head', found, lastHash(chainFile))
  if (!file) equal('the head', found, readJson(path.join(folder, 'headfcu.json')).params[0].headBlockHash)
}

// hive's variables, and how `genesis check` names the same.
const forkNames = { TANGERINE: 'tangerine', SPURIOUS: 'spurious', ARROW_GLACIER: 'arrow glacier',
  GRAY_GLACIER: 'gray glacier', MUIR_GLACIER: 'muir glacier' }

function checkForks(genesisFile, forkenv) {
  const told = spawnSync(program, ['genesis', 'check', genesisFile], { encoding: 'utf8' }).stdout
  const says = (pattern, value, what) => equal(what, new RegExp(pattern, 'm').exec(told)?.[1], value)
  for (const [name, value] of Object.entries(forkenv)) {
    const [, fork, blob] = /^HIVE_(.+?)(?:_BLOB_(TARGET|MAX|BASE_FEE_UPDATE_FRACTION))?$/.exec(name)
    if (blob) {
      const word = blob.length > 6 ? 'fraction' : blob.toLowerCase()
      says(`^  ${fork.toLowerCase()} +time \\d+:.* ${word} (\\d+)`, value, name)
    } else if (fork === 'CHAIN_ID') says('^chain id +(\\d+)', value, name)
    else if (fork === 'MERGE_BLOCK_ID') says('^  merge netsplit +block (\\d+)', value, name)
    else if (fork === 'TERMINAL_TOTAL_DIFFICULTY') says('^  paris +total difficulty (\\d+)', value, name)
    else if (fork.startsWith('FORK_')) {
      const known = forkNames[fork.slice(5)] ?? fork.slice(5).toLowerCase()
      says(`^  ${known} +block (\\d+)`, value, name)
    } else if (fork.endsWith('_TIMESTAMP')) {
      says(`^  ${fork.slice(0, -10).toLowerCase()} +time (\\d+)`, value, name)
    } else if (fork !== 'NETWORK_ID' && fork !== 'DEPOSIT_CONTRACT_ADDRESS') throw new Error(`what is ${name}?`)
  }
}

async function checkHeader(ask, recorded) {
  const found = await ask('eth_getBlockByNumber', ['latest', false])
  for (const [key, value] of Object.entries(recorded)) {
    if (value !== null) equal(`the head's ${key}`, found[key], value)
  }
}

async function checkPayload(ask, { params: [payload] }) {
  const found = await ask('eth_getBlockByNumber', [payload.blockNumber, false])
  const names = { feeRecipient: 'miner', prevRandao: 'mixHash', blockNumber: 'number', blockHash: 'hash' }
  for (const [key, value] of Object.entries(payload)) {
    if (key === 'transactions') {
      equal(`${payload.blockNumber}'s transactions`, found.transactions, value.map((bytes) => ethers.keccak256(bytes)))
    } else if (value !== null) {
      equal(`${payload.blockNumber}'s ${key}`, found[names[key] ?? key], value)
    }
  }
}

// geth's dump of a state: every account in all its parts, every slot, and none besides.
async function checkState(ask, dump, counts) {
  const head = await ask('eth_getBlockByNumber', ['latest', false])
  equal('the state root', head.stateRoot, `0x${dump.root}`)
  let slots = 0
  for (const [key, account] of Object.entries(dump.accounts)) {
    const address = account.address ?? key
    const found = await ask('eth_getProof', [address, [], 'latest'])
    equal(`${address}'s balance`, found.balance, ethers.toQuantity(account.balance))
    equal(`${address}'s nonce`, found.nonce, ethers.toQuantity(account.nonce))
    equal(`${address}'s codeHash`, found.codeHash, account.codeHash)
    equal(`${address}'s storageHash`, found.storageHash, account.root)
    equal(`${address}'s code`, await ask('eth_getCode', [address, 'latest']), account.code ?? '0x')
    for (const [slot, value] of Object.entries(account.storage ?? {})) {
      const stored = await ask('eth_getStorageAt', [address, slot, 'latest'])
      equal(`${address}'s slot ${slot}`, stored, ethers.zeroPadValue(`0x${value}`, 32))
      slots++
    }
  }
  equal('the number of accounts and slots', counts, [Object.keys(dump.accounts).length, slots])
}

// hive's GraphQL cases: what they tell of the chain and of the accounts at its head.
async function checkCases(ask, folder) {
  const answer = (name) => readJson(path.join(folder, `${name}.json`)).responses[0].data.block
  equal('the head', await ask('eth_blockNumber', []), answer('01_eth_blockNumber').number)
  const { totalDifficulty, ...block } = answer('16_eth_getBlock_byNumber')
  const found = await ask('eth_getBlockByNumber', ['0x1e', false])
  for (const key of ['timestamp', 'difficulty', 'gasUsed', 'gasLimit', 'hash', 'nonce', 'logsBloom', 'mixHash',
    'extraData', 'stateRoot', 'receiptsRoot', 'transactionsRoot']) equal(`0x1e's ${key}`, found[key], block[key])
  equal(`0x1e's transactions`, found.transactions, block.transactions.map(({ hash }) => hash))
  const contract = '0x6295ee1b4f6dd65047762f924ecd367c17eabf8f'
  equal('the balance at 0x1e', await ask('eth_getBalance', [contract, '0x1e']), block.account.balance)
  const { account } = answer('11_eth_getBalance_latest')
  equal('the balance', await ask('eth_getBalance', [contract, 'latest']), account.balance)
  equal('the code', await ask('eth_getCode', [contract, 'latest']), answer('22_eth_getCode').account.code)
  equal('slot 4', await ask('eth_getStorageAt', [contract, '0x4', 'latest']),
    answer('26_eth_getStorageAt').account.storage)
}

// --- a chain --------------------------------------------------------------------------------------------

function run(words) {
  const done = spawnSync(program, words, { encoding: 'utf8' })
  if (done.status !== 0) throw new Error(done.stderr || `${words[0]} ended with ${done.status}`)
  return done.stdout
}

// Serves the folder for as long as use, which is given a function that asks, takes.
async function withNode(data, use) {
  const child = spawn(program, ['run', '--data', data, '--http.port', '0'], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = new Promise((resolve) => child.on('exit', resolve))
  try {
    const url = await new Promise((resolve, reject) => {
      child.stdout.on('data', (text) => /http:\S+/.test(text) && resolve(/http:\S+/.exec(text)[0]))
      ended.then((status) => reject(new Error(`the node ended with status ${status}`)))
    })
    await use(async (method, params) => {
      const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
      const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
      const { result, error } = await response.json()
      if (error) throw new Error(`${method}: ${error.message}`)
      return result
    })
  } finally {
    child.kill()
    await ended
  }
}

async function checkRecords(ask, { folder, cases }, counts) {
  const recorded = (name) => (fs.existsSync(path.join(folder, name)) ? readJson(path.join(folder, name)) : undefined)
  const [header, payloads, state] = ['headblock.json', 'newpayload.json', 'headstate.json'].map(recorded)
  if (header) await checkHeader(ask, header)
  for (const payload of payloads ?? []) await checkPayload(ask, payload)
  if (recorded('headnewpayload.json')) await checkPayload(ask, recorded('headnewpayload.json'))
  if (state) await checkState(ask, state, counts)
  if (cases) await checkCases(ask, cases)
}

async function check(chain) {
  const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'ashlar-import-'))
  const [data, made] = ['data', 'genesis.json'].map((name) => path.join(scratch, name))
  const file = path.join(chain.folder, chain.file ?? 'chain.rlp')
  const forkenv = path.join(chain.folder, 'forkenv.json')
  try {
    if (chain.genesis) fs.writeFileSync(made, JSON.stringify(chain.genesis(chain.folder)))
    const genesis = chain.genesis ? made : path.join(chain.folder, 'genesis.json')
    if (fs.existsSync(forkenv)) checkForks(genesis, readJson(forkenv))
    run(['import', '--data', data, '--genesis', genesis, file])
    const verified = run(['db', 'verify', '--data', data])
    checkHead(/blocks to \d+, (0x[0-9a-f]{64})/.exec(verified)[1], chain, file)
    const counts = /(\d+) accounts, (\d+) slots/.exec(verified).slice(1).map(Number)
    await withNode(data, (ask) => checkRecords(ask, chain, counts))
    const archive = path.join(scratch, 'archive') // where verifying computes the roots of old states, too
    run(['import', '--data', archive, '--genesis', genesis, '--state', 'archive', file])
    run(['db', 'verify', '--data', archive])
    return true
  } catch (error) {
    console.log(`FAIL ${chain.name}: ${error.message.trim()}`)
    return false
  } finally {
    fs.rmSync(scratch, { recursive: true, force: true })
  }
}

let passed = 0
for (const chain of chains) passed += await check(chain)
console.log(`${passed} passed, ${chains.length - passed} failed`)
process.exitCode = passed === chains.length ? 0 : 1
