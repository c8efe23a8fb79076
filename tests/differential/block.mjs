// A random block for t8n: pre-state, environment and transactions, all from one seed.
import fs from 'node:fs'
import { ethers } from 'ethers'
import { bytesOf, initCode, program } from './program.mjs'
import { Random } from './random.mjs'

export const forks = [
  'Frontier', 'Homestead', 'EIP150', 'EIP158', 'Byzantium', 'Constantinople', 'ConstantinopleFix', 'Istanbul', 'Berlin',
  'London', 'Paris', 'Shanghai', 'Cancun', 'Prague', 'Osaka',
]
const [berlin, london, paris, shanghai, cancun, prague, osaka] = [8, 9, 10, 11, 12, 13, 14]
const chainId = 1
const systemContracts = JSON.parse(fs.readFileSync(new URL('system-contracts.json', import.meta.url)))
const beaconRoots = '0x000f3df6d732807ef1319fb7b8bb8522d0beac02'

const hex = (value) => ethers.toQuantity(value)
const signingKeys = Array.from({ length: 6 }, (_, i) => new ethers.SigningKey(ethers.id(`differential ${i}`)))
const senders = signingKeys.map((key) => ethers.computeAddress(key.publicKey).toLowerCase())
const contractAt = (i) => '0x' + (0xc0de0000 + i).toString(16).padStart(40, '0')
const bare = ['0x00000000000000000000000000000000000000e1', '0x00000000000000000000000000000000000000e2']
const absent = '0x00000000000000000000000000000000000000aa'

function makeState(random, world) {
  const alloc = {}
  const code = (statements) => ethers.hexlify(program(random, world, statements))
  for (const sender of senders) {
    const rich = random.chance(0.9)
    alloc[sender] = { balance: rich ? hex(10n ** 21n) : hex(random.below(10 ** 9)), nonce: hex(random.chance(0.9) ? 0 : 5) }
  }
  for (const contract of world.contracts) {
    const storage = {}
    for (let slot = 0; slot < 4; slot++) {
      if (random.chance(0.4)) storage[ethers.toBeHex(slot, 32)] = ethers.toBeHex(random.between(1, 1000), 32)
    }
    const balance = random.chance(0.5) ? hex(random.below(10 ** 6)) : '0x0'
    alloc[contract] = { balance, nonce: '0x1', code: code(random.between(2, 14)), storage }
  }
  alloc[bare[0]] = { balance: '0x1' }
  if (world.fork < 3 || random.chance(0.2)) alloc[bare[1]] = { balance: '0x0' } // an empty account, from before EIP-158
  if (world.fork >= prague && random.chance(0.3)) {
    alloc[senders[5]] = { ...alloc[senders[5]], code: '0xef0100' + random.pick(world.contracts).slice(2), nonce: '0x1' }
  }
  if (world.fork >= prague) Object.assign(alloc, systemContracts)
  else if (world.fork >= cancun) alloc[beaconRoots] = systemContracts[beaconRoots]
  return alloc
}

function makeEnv(random, world) {
  const { fork, number } = world
  const env = {
    currentCoinbase: random.weighted([[6, absent], [2, random.pick(world.addresses)], [1, bare[1]], [1, '0x' + '00'.repeat(19) + '04']]),
    currentGasLimit: hex(random.weighted([[8, 30_000_000], [2, random.between(100_000, 2_000_000)], [1, 120_000_000]])),
    currentNumber: hex(number),
    currentTimestamp: hex(random.between(2000, 10 ** 9)),
    blockHashes: Object.fromEntries(Array.from({ length: Math.min(number, 256) }, (_, i) => [number - 1 - i, ethers.id(`hash ${number - 1 - i}`)])),
  }
  if (fork < paris) {
    env.currentDifficulty = hex(random.between(131072, 10 ** 9))
    if (random.chance(0.3)) env.ommers = [{ delta: random.between(1, 6), address: random.pick([absent, ...world.addresses]) }]
  } else {
    env.currentRandom = ethers.id(`random ${random.u32()}`)
  }
  if (fork >= london && random.chance(0.8)) env.currentBaseFee = hex(random.weighted([[5, 7], [3, random.below(10 ** 9)], [1, 0]]))
  else if (fork >= london) {
    const parentGasLimit = 30_000_000
    Object.assign(env, { parentBaseFee: hex(random.between(7, 10 ** 9)), parentGasLimit: hex(parentGasLimit), parentGasUsed: hex(random.below(parentGasLimit)) })
  }
  if (fork >= shanghai) {
    env.withdrawals = Array.from({ length: random.chance(0.3) ? random.between(1, 4) : 0 }, (_, i) => ({
      index: hex(i), validatorIndex: hex(random.below(100)), address: random.pick([absent, ...world.addresses]), amount: hex(random.below(3) * random.below(10 ** 9)),
    }))
  }
  if (fork >= cancun) {
    env.parentBeaconBlockRoot = ethers.id('beacon')
    const excess = hex(random.weighted([[5, 0], [3, random.below(20_000_000)], [1, 100_000_000]]))
    if (random.chance(0.8)) env.currentExcessBlobGas = excess
    else Object.assign(env, { parentExcessBlobGas: excess, parentBlobGasUsed: hex(131072 * random.below(7)), parentTimestamp: hex(1000), parentBaseFee: env.parentBaseFee ?? '0x7' })
  }
  return env
}

// EIP-7702: authorizations of the senders, mostly valid, to contracts and elsewhere.
function makeAuthorization(random, world, nonces) {
  const who = random.below(senders.length)
  const delegate = random.weighted([[8, random.pick(world.contracts)], [2, ethers.ZeroAddress], [2, random.pick(senders)], [1, contractAt(99)], [1, '0x' + '00'.repeat(19) + '01']])
  const chain = random.weighted([[6, chainId], [4, 0], [1, 5]])
  const nonce = (nonces[senders[who]] ?? 0) + random.weighted([[6, 0], [3, 1], [1, 7]])
  const digest = ethers.keccak256(ethers.concat(['0x05', ethers.encodeRlp([chain ? ethers.toBeHex(chain) : '0x', delegate, nonce ? ethers.toBeArray(nonce) : '0x'])]))
  const { yParity, r, s } = signingKeys[who].sign(digest)
  const spoilt = random.chance(0.05)
  return { chainId: hex(chain), address: delegate, nonce: hex(nonce), yParity: hex(spoilt ? 1 - yParity : yParity), r: hex(BigInt(r)), s: hex(BigInt(s)) }
}

function makeFees(random, baseFee) {
  if (random.chance(0.03)) return { maxFeePerGas: hex(baseFee / 2n), maxPriorityFeePerGas: '0x0' }
  const tip = BigInt(random.below(10))
  const cap = baseFee + BigInt(random.below(20)) + (random.chance(0.97) ? tip : 0n)
  return { maxFeePerGas: hex(cap), maxPriorityFeePerGas: hex(tip) }
}

function pickType(random, fork) {
  const known = [[6, 0], [fork >= berlin ? 3 : 0, 1], [fork >= london ? 8 : 0, 2], [fork >= cancun ? 2 : 0, 3], [fork >= prague ? 4 : 0, 4]]
  return random.chance(0.01) ? random.below(5) : random.weighted(known)
}

function makeTransaction(random, world, nonces, baseFee) {
  const who = random.below(senders.length)
  const sender = senders[who]
  const type = pickType(random, world.fork)
  const create = type < 3 && random.chance(0.15)
  const nonce = nonces[sender] + (random.chance(0.97) ? 0 : random.pick([-1, 1, 3]))
  const data = create ? initCode(random, world) : random.bytes(random.weighted([[4, 0], [4, random.below(100)], [1, random.below(600)]]))
  const tx = {
    type: hex(type),
    nonce: hex(Math.max(nonce, 0)),
    gas: hex(random.weighted([[60, random.between(60_000, 600_000)], [10, random.between(21_000, 60_000)], [10, random.between(600_000, 3_000_000)], [2, random.below(21_000)], [1, 17_000_000]])),
    value: hex(random.weighted([[60, 0], [30, random.below(10_000)], [1, 1n << 100n]])),
    input: ethers.hexlify(data),
    to: create ? null : random.weighted([[80, random.pick(world.contracts)], [8, random.pick(senders)], [4, absent], [3, random.pick(world.system)], [3, '0x' + ethers.hexlify(bytesOf(BigInt(random.between(1, 17)))).slice(2).padStart(40, '0')]]),
    secretKey: signingKeys[who].privateKey,
    v: '0x0', r: '0x0', s: '0x0',
  }
  if (type === 0) tx.protected = world.fork >= 3 && random.chance(0.7)
  else tx.chainId = hex(chainId)
  if (type < 2) tx.gasPrice = hex(random.chance(0.97) ? baseFee + BigInt(random.below(20)) : baseFee / 2n)
  else Object.assign(tx, makeFees(random, baseFee))
  if (type > 0) tx.accessList = makeAccessList(random, world)
  if (type === 3) {
    tx.blobVersionedHashes = Array.from({ length: random.between(1, 7) }, (_, i) => (random.chance(0.99) ? '0x01' : '0x02') + ethers.id(`blob ${i}`).slice(4))
    tx.maxFeePerBlobGas = hex(random.chance(0.95) ? 10 ** 9 : 0)
  }
  if (type === 4) tx.authorizationList = Array.from({ length: random.between(random.chance(0.03) ? 0 : 1, 3) }, () => makeAuthorization(random, world, nonces))
  if (nonce === nonces[sender] && looksValid(tx, world.fork, baseFee)) nonces[sender]++
  return tx
}

// Whether a transaction will probably be included; a wrong guess spoils the sender's next ones.
function looksValid(tx, fork, baseFee) {
  const gas = Number(tx.gas)
  const since = [0, berlin, london, cancun, prague][Number(tx.type)]
  const [cap, tip] = [BigInt(tx.maxFeePerGas ?? tx.gasPrice), BigInt(tx.maxPriorityFeePerGas ?? 0)]
  const data = 16 * (tx.input.length / 2) + (tx.to ? 0 : 32000)
  const lists = (tx.accessList?.length ?? 0) * 10_000 + (tx.authorizationList?.length ?? 0) * 25_000
  if (fork < since || BigInt(tx.value) >= 1n << 90n || cap < baseFee || tip > cap) return false
  if (tx.authorizationList?.length === 0 || tx.maxFeePerBlobGas === '0x0') return false
  return gas > 21_000 + data + lists && (fork < osaka || gas <= 1 << 24)
}

function makeAccessList(random, world) {
  return Array.from({ length: random.weighted([[5, 0], [5, random.between(1, 3)]]) }, () => ({
    address: random.pick([...world.addresses, absent]),
    storageKeys: Array.from({ length: random.below(4) }, () => ethers.toBeHex(random.below(6), 32)),
  }))
}

// { fork, reward, alloc, env, txs } of a seed; `most` bounds the number of transactions.
export function makeBlock(seed, { fork: wanted, most = 50 } = {}) {
  const random = new Random(seed)
  const fork = wanted ? forks.indexOf(wanted) : random.weighted(forks.map((_, i) => [i >= paris ? 4 : 1, i]))
  const contracts = Array.from({ length: random.between(3, 8) }, (_, i) => contractAt(i))
  const system = fork >= prague ? Object.keys(systemContracts) : [bare[0]]
  const world = { fork, contracts, system, number: random.between(1, 40), addresses: [...contracts, ...senders, ...bare, ...(random.chance(0.2) ? system : [])] }
  const alloc = makeState(random, world)
  const env = makeEnv(random, world)
  const baseFee = BigInt(env.currentBaseFee ?? (fork >= london ? 2_000_000_000 : 1))
  const nonces = Object.fromEntries(senders.map((sender) => [sender, Number(alloc[sender].nonce)]))
  const txs = Array.from({ length: random.between(1, most) }, () => makeTransaction(random, world, nonces, baseFee))
  const reward = fork >= paris ? random.pick([-1, 0]) : random.pick([0, 2, 5]) * 10 ** 18
  return { seed, fork: forks[fork], reward, chainId, alloc, env, txs }
}
