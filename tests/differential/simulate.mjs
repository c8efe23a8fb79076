// Asks ashlar-node and geth for the same random simulations (eth_simulateV1) on the same chain, and compares what they say.
//   node tests/differential/simulate.mjs --chain FOLDER [--requests N] [--seed FIRST] [--geth PATH] [--keep-going]
// FOLDER holds genesis.json and chain.rlp, as execution-apis' tests do. geth comes by:
//   go install github.com/ethereum/go-ethereum/cmd/geth@v1.17.5
// Of an answer that is an error the code is compared. A difference is printed with its request; the exit status is then 1.
import { spawn, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { isDeepStrictEqual, parseArgs } from 'node:util'
import { ethers } from 'ethers'
import { initCode, program } from './program.mjs'
import { Random } from './random.mjs'

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..')
const { values: options } = parseArgs({
  options: {
    chain: { type: 'string' },
    requests: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
    geth: { type: 'string', default: process.env.GETH ?? 'geth' },
    'keep-going': { type: 'boolean', default: false },
  },
})
if (!options.chain) throw new Error('--chain FOLDER is needed: a folder with genesis.json and chain.rlp')
const ashlar = path.join(process.env.ASHLAR_BIN ?? path.join(root, 'build', 'bin'), 'ashlar-node')
const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'ashlar-simulate-'))
const children = []

// --- the two nodes -------------------------------------------------------------------------------------

function run(program, ...argv) {
  const done = spawnSync(program, argv, { encoding: 'utf8' })
  if (done.status !== 0) throw new Error(`${program} ${argv[0]}: ${done.error?.message ?? done.stderr.slice(-600)}`)
}

const freePort = () =>
  new Promise((resolve) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })

async function ask(url, method, params) {
  const response = await fetch(url, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  })
  return response.json()
}

async function serve(program, argv, port) {
  const url = `http://127.0.0.1:${port}`
  children.push(spawn(program, argv, { stdio: 'ignore' }))
  for (let i = 0; i < 300; i++) {
    try {
      await ask(url, 'eth_chainId', [])
      return url
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
  throw new Error(`${program} does not answer`)
}

async function serveOurs() {
  const data = path.join(scratch, 'ours')
  const port = await freePort()
  run(ashlar, 'import', '--data', data, '--genesis', path.join(options.chain, 'genesis.json'), path.join(options.chain, 'chain.rlp'))
  return serve(ashlar, ['run', '--data', data, '--http.port', `${port}`], port)
}

async function serveGeth() {
  const data = ['--datadir', path.join(scratch, 'geth'), '--state.scheme', 'hash']
  const [port, authPort] = [await freePort(), await freePort()]
  run(options.geth, 'init', ...data, path.join(options.chain, 'genesis.json'))
  run(options.geth, 'import', ...data, '--gcmode', 'archive', '--nocompaction', path.join(options.chain, 'chain.rlp'))
  const own = ['--syncmode', 'full', '--gcmode', 'archive', '--nodiscover', '--maxpeers', '0', '--ipcdisable', '--port', '0']
  return serve(options.geth, [...data, ...own, '--authrpc.port', `${authPort}`, '--http', '--http.port', `${port}`], port)
}

// --- a random request ----------------------------------------------------------------------------------

const hex = (value) => ethers.toQuantity(value)
const addressOf = (number) => '0x' + BigInt(number).toString(16).padStart(40, '0')
const contracts = [0xc0de01, 0xc0de02, 0xc0de03].map(addressOf)
const guests = [0xa1, 0xa2].map(addressOf)
const key = new ethers.SigningKey(ethers.id('simulate'))
const authority = ethers.computeAddress(key.publicKey).toLowerCase()
const genesis = JSON.parse(fs.readFileSync(path.join(options.chain, 'genesis.json')))
const known = Object.keys(genesis.alloc).map((address) => '0x' + address.replace(/^0x/, '').toLowerCase())
const rich = known.filter((address) => BigInt(genesis.alloc[address.slice(2)].balance ?? 0) > 10n ** 20n)
const precompile = (random) => addressOf(random.weighted([[8, random.between(1, 18)], [1, 0x100]]))

function anyone(random) {
  return random.weighted([[8, random.pick(contracts)], [4, random.pick(known)], [2, random.pick(guests)], [1, authority], [2, precompile(random)]])
}

function makeBlockOverrides(random, chain, run) {
  const overrides = {}
  if (random.chance(0.3)) {
    run.number += random.weighted([[12, 1], [6, random.between(2, 9)], [1, random.between(-1, 0)], [0.3, 300]])
    overrides.number = hex(Math.max(run.number, 0))
  } else run.number++
  run.time += 12
  if (random.chance(0.3)) {
    run.time += random.weighted([[16, random.between(1, 40)], [1, -random.below(40)]])
    overrides.time = hex(Math.max(run.time, 0))
  }
  if (random.chance(0.15)) overrides.gasLimit = hex(random.weighted([[3, random.between(100_000, 3_000_000)], [1, 100_000_000]]))
  if (random.chance(0.25)) overrides.feeRecipient = anyone(random)
  if (random.chance(0.25)) overrides.prevRandao = ethers.id(`${random.u32()}`)
  if (random.chance(0.3)) overrides.baseFeePerGas = hex(random.pick([0, 1, 7, 1000, 10 ** 9]))
  if (random.chance(0.2)) overrides.blobBaseFee = hex(random.pick([0, 1, 5, 10 ** 9]))
  if (random.chance(0.1)) overrides.beaconRoot = ethers.id('beacon')
  if (random.chance(0.15)) {
    overrides.withdrawals = Array.from({ length: random.below(4) }, (_, i) => ({
      index: hex(i), validatorIndex: hex(random.below(9)), address: anyone(random), amount: hex(random.below(10 ** 9)),
    }))
  }
  return overrides
}

const word = (value) => ethers.toBeHex(value, 32)
const slots = (random) =>
  Object.fromEntries(Array.from({ length: random.below(4) }, () => [word(random.below(5)), word(random.weighted([[1, 0], [4, random.below(1000)]]))]))

function makeAccount(random, address, world) {
  const account = {}
  const isContract = contracts.includes(address)
  if (random.chance(isContract ? 0.9 : 0.1)) account.code = random.chance(0.06) ? '0x' : ethers.hexlify(program(random, world, random.between(2, 12)))
  if (random.chance(0.1)) account.code = '0xef0100' + random.pick([...contracts, precompile(random)]).slice(2)
  if (random.chance(0.6)) account.balance = hex(random.weighted([[1, 0], [1, random.below(10 ** 9)], [8, 10n ** 24n]]))
  if (random.chance(0.1)) account.nonce = hex(random.weighted([[4, random.below(9)], [0.5, (1n << 64n) - 1n]]))
  const storage = random.below(8)
  if (storage === 0 || storage === 7) account.state = slots(random)
  if (storage === 1 || storage === 2) account.stateDiff = slots(random)
  if (storage === 7 && random.chance(0.1)) account.stateDiff = slots(random)
  return account
}

function makeStateOverrides(random, world, first) {
  const overrides = {}
  for (const address of [...contracts, ...guests, authority, ...known]) {
    if (random.chance(known.includes(address) ? 0.02 : first ? 0.7 : 0.15)) overrides[address] = makeAccount(random, address, world)
  }
  if (random.chance(0.12)) overrides[precompile(random)] = random.chance(0.6) ? { movePrecompileToAddress: random.pick([addressOf(0x123456), anyone(random)]) } : makeAccount(random, contracts[0], world)
  if (random.chance(0.01)) overrides[anyone(random)] = { movePrecompileToAddress: anyone(random) }
  return overrides
}

function makeAuthorization(random, chainId) {
  const delegate = random.weighted([[8, random.pick(contracts)], [1, ethers.ZeroAddress], [1, precompile(random)]])
  const [chain, nonce] = [random.weighted([[6, chainId], [4, 0n], [1, 5n]]), random.weighted([[6, 0], [1, 1]])]
  const digest = ethers.keccak256(ethers.concat(['0x05', ethers.encodeRlp([chain ? ethers.toBeArray(chain) : '0x', delegate, nonce ? ethers.toBeArray(nonce) : '0x'])]))
  const { yParity, r, s } = key.sign(digest)
  return { chainId: hex(chain), address: delegate, nonce: hex(nonce), yParity: hex(yParity), r: hex(BigInt(r)), s: hex(BigInt(s)) }
}

function makeFees(random, world, call, validates) {
  const fee = () => hex(random.weighted([[1, 0], [1, 7], [1, 1000], [9, 10 ** 10]]))
  if (world.fork < 9 || random.chance(validates ? 0.1 : 0.4)) {
    if (random.chance(0.3)) call.gasPrice = fee()
    return
  }
  if (random.chance(0.1)) call.gasPrice = fee()
  if (!call.gasPrice || random.chance(0.02)) call.maxFeePerGas = fee()
  if (!call.gasPrice && random.chance(0.3)) call.maxPriorityFeePerGas = hex(random.pick([0, 1, 3]))
}

function makeCall(random, world, chain, run) {
  const call = {}
  const create = random.chance(0.12)
  if (random.chance(0.95)) call.from = random.weighted([[4, random.pick(guests)], [12, random.pick(rich)], [2, random.pick(contracts)], [1, authority]])
  if (!create) call.to = random.weighted([[8, random.pick(contracts)], [2, anyone(random)], [1, addressOf(0x123456)]])
  if (random.chance(0.15)) call.gas = hex(random.weighted([[12, random.between(60_000, 400_000)], [1, random.below(21_000)], [2, 20_000_000], [0.5, 300_000_000]]))
  if (random.chance(0.3)) call.value = hex(random.weighted([[20, random.below(1000)], [1, 10n ** 40n]]))
  if (create || random.chance(0.6)) call[random.chance(0.8) ? 'input' : 'data'] = ethers.hexlify(create ? initCode(random, world) : random.bytes(random.weighted([[5, random.below(100)], [1, random.below(3000)]])))
  if (random.chance(0.04)) call.nonce = hex(random.below(3))
  makeFees(random, world, call, run.validates)
  if (world.fork >= 9 && random.chance(0.1) && !call.gasPrice) call.accessList = [{ address: anyone(random), storageKeys: [word(random.below(5))] }]
  if (world.fork >= 12 && random.chance(0.08) && !create && !call.gasPrice) {
    call.blobVersionedHashes = Array.from({ length: random.weighted([[8, random.between(1, 6)], [1, 7]]) }, (_, i) => (random.chance(0.97) ? '0x01' : '0x02') + ethers.id(`blob ${i}`).slice(4))
    if (random.chance(0.8)) call.maxFeePerBlobGas = hex(random.pick([1, 5, 10 ** 9]))
  } else if (world.fork >= 13 && random.chance(0.08) && !create && !call.gasPrice) {
    call.authorizationList = Array.from({ length: random.between(1, 2) }, () => makeAuthorization(random, chain.id))
  }
  if (random.chance(0.03)) call.chainId = hex(random.weighted([[3, chain.id], [1, 5]]))
  return call
}

function makeBlockStateCall(random, chain, run, first) {
  const block = {}
  const world = { fork: run.fork, contracts, system: [contracts[0]], number: 40, addresses: [...contracts, ...guests, authority, known[0]] }
  if (random.chance(0.6)) block.blockOverrides = makeBlockOverrides(random, chain, run)
  else Object.assign(run, { number: run.number + 1, time: run.time + 12 })
  if (first || random.chance(0.4)) block.stateOverrides = makeStateOverrides(random, world, first)
  if (random.chance(0.95)) block.calls = Array.from({ length: random.below(5) }, () => makeCall(random, world, chain, run))
  return block
}

// As makeBlock numbers them, by what the header has.
function forkOf(block) {
  if (block.requestsHash) return 13
  if (block.blobGasUsed) return 12
  if (block.withdrawalsRoot) return 11
  return block.baseFeePerGas ? 9 : 6
}

function makeRequest(seed, chain) {
  const random = new Random(seed)
  const number = random.weighted([[3, chain.head], [3, random.below(chain.head + 1)], [2, random.between(Math.max(chain.head - 20, 0), chain.head)]])
  const base = chain.blocks[number]
  const at = random.weighted([[number === chain.head ? 6 : 0, 'latest'], [4, hex(number)], [2, base.hash], [1, { blockHash: base.hash }], [1, { blockNumber: hex(number) }]])
  const run = { number, time: Number(base.timestamp), fork: forkOf(base), validates: random.chance(0.3) }
  const request = { blockStateCalls: Array.from({ length: random.weighted([[4, 1], [4, 2], [2, 4]]) }, (_, i) => makeBlockStateCall(random, chain, run, i === 0)) }
  if (run.validates) request.validation = true
  for (const flag of ['traceTransfers', 'returnFullTransactions']) if (random.chance(0.5)) request[flag] = true
  return [request, at]
}

// --- comparing -----------------------------------------------------------------------------------------

function difference(ours, geth, name = '') {
  if (isDeepStrictEqual(ours, geth)) return undefined
  const nested = (x) => x !== null && typeof x === 'object'
  if (!nested(ours) || !nested(geth)) return `${name}: ours ${JSON.stringify(ours)?.slice(0, 300)}, geth ${JSON.stringify(geth)?.slice(0, 300)}`
  /* The hashes follow from the rest, which tells more. */
  const keys = [...new Set([...Object.keys(ours), ...Object.keys(geth)])].sort((a, b) => late(a) - late(b))
  return keys.map((each) => difference(ours[each], geth[each], `${name}.${each}`)).find(Boolean)
}

// A legacy transaction without a signature belongs to no chain; geth takes one out of thin air.
const thinAir = '0x7fffffffffffffee'

const late = (name) => ['calls', 'transactions'].includes(name) ? 0 : /hash|root|size|parent/i.test(name) ? 2 : 1

function compare(ours, geth) {
  if (ours.error && geth.error) return ours.error.code === geth.error.code ? undefined : `error: ours ${JSON.stringify(ours.error)}, geth ${JSON.stringify(geth.error)}`
  if (ours.error || geth.error) return `ours ${JSON.stringify(ours.error) ?? 'a result'}, geth ${JSON.stringify(geth.error) ?? 'a result'}`
  for (const block of geth.result) for (const tx of block.transactions) if (tx.chainId === thinAir) delete tx.chainId
  return difference(ours.result, geth.result, 'result')
}

const totals = { requests: 0, errors: 0, calls: 0, differing: 0 }
try {
  const [ours, geth] = await Promise.all([serveOurs(), serveGeth()])
  const head = Number((await ask(ours, 'eth_blockNumber', [])).result)
  const blocks = []
  for (let n = 0; n <= head; n++) blocks.push((await ask(ours, 'eth_getBlockByNumber', [hex(n), false])).result)
  const chain = { id: BigInt((await ask(ours, 'eth_chainId', [])).result), head, blocks }
  for (let seed = Number(options.seed); totals.requests < Number(options.requests); seed++) {
    const request = makeRequest(seed, chain)
    const answers = await Promise.all([ours, geth].map((url) => ask(url, 'eth_simulateV1', request)))
    totals.requests++
    totals.errors += answers[1].error ? 1 : 0
    totals.calls += (answers[1].result ?? []).reduce((sum, block) => sum + block.calls.length, 0)
    const found = compare(...answers)
    if (!found) continue
    totals.differing++
    console.log(`seed ${seed}: ${found}`)
    if (!options['keep-going']) {
      console.log(JSON.stringify(request))
      break
    }
  }
} finally {
  children.forEach((child) => child.kill())
  fs.rmSync(scratch, { recursive: true, force: true })
}
const { requests, errors, calls, differing } = totals
console.log(`${requests} requests (${errors} refused, ${calls} calls): ${differing} differ`)
process.exitCode = differing ? 1 : 0
