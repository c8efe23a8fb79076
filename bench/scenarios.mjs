// Makes the transaction scenarios under build/bench/scenarios/, the same on every machine.
//   node bench/scenarios.mjs [TRANSACTIONS]
// A scenario is one JSON object:
//   name, fork, chainId (hex)
//   env           the block as geth's t8n has it (current*); all transactions run in it, without a gas limit
//   alloc         genesis: address -> { balance, nonce?, code?, storage? }, hex
//   setup         transactions run before the clock starts; all must succeed
//   transactions  the timed ones; all must succeed
// A transaction is of type 2: { sender, nonce, to (null: creation), gas, value, input, chainId, maxFeePerGas,
// maxPriorityFeePerGas }, numbers in hex; the sender stands there, so no signature is made or recovered.
import fs from 'node:fs'
import path from 'node:path'
import { ethers } from 'ethers'
import { compile, root } from '../scripts/solc.mjs'

const folder = path.join(root, 'build', 'bench', 'scenarios')
const count = Number(process.argv[2] ?? 4000)
const people = 200
const chainId = '0x7a69'
const hex = (value) => ethers.toQuantity(value)
const address = (kind, i) => ethers.dataSlice(ethers.id(`${kind} ${i}`), 12)
const person = (i) => address('person', i % people)
const contracts = compile(['bench/contracts/Exchange.sol', 'contracts/Accounts.sol'])
const call = (contract, name, ...args) => new ethers.Interface(contracts[contract].abi).encodeFunctionData(name, args)

const env = {
  currentCoinbase: '0x00000000000000000000000000000000000c0ffe',
  currentDifficulty: '0x0',
  currentGasLimit: '0x7fffffffffffffff',
  currentNumber: '0x1',
  currentTimestamp: '0x68000000',
  currentBaseFee: '0x7',
  currentRandom: ethers.id('random'),
  currentExcessBlobGas: '0x0',
  parentBeaconBlockRoot: ethers.ZeroHash,
  withdrawals: [],
}

// Collects transactions, counting each sender's nonce.
class Scenario {
  nonces = new Map()
  setup = []
  transactions = []
  alloc = {}

  constructor(name) {
    this.name = name
    for (let i = 0; i < people; i++) this.fund(person(i))
  }

  fund(who) {
    this.alloc[who] = { balance: hex(ethers.parseEther('1000000')) }
  }

  add(list, sender, to, input, gas, value = 0n) {
    const nonce = this.nonces.get(sender) ?? 0
    this.nonces.set(sender, nonce + 1)
    const fees = { maxFeePerGas: '0x64', maxPriorityFeePerGas: '0x1' }
    list.push({ sender, nonce: hex(nonce), to, gas: hex(gas), value: hex(value), input, chainId, ...fees })
    return nonce
  }

  deploy(name, ...args) {
    const iface = new ethers.Interface(contracts[name].abi)
    const sender = person(0)
    const nonce = this.add(this.setup, sender, null, contracts[name].bytecode + iface.encodeDeploy(args).slice(2), 6_000_000)
    return ethers.getCreateAddress({ from: sender, nonce }).toLowerCase()
  }

  write() {
    const { name, alloc, setup, transactions } = this
    const file = path.join(folder, `${name}.json`)
    fs.writeFileSync(file, JSON.stringify({ name, fork: 'Prague', chainId, env, alloc, setup, transactions }))
    console.log(`${path.relative(root, file)}: ${setup.length} before, ${transactions.length} timed`)
  }
}

function transfers() {
  const s = new Scenario('transfers')
  for (let i = 0; i < count; i++) s.add(s.transactions, person(i), person(i * 7 + 1), '0x', 21000, BigInt(i + 1))
  s.write()
}

function newAccounts() {
  const s = new Scenario('new_accounts')
  for (let i = 0; i < count; i++) s.add(s.transactions, person(i), address('new', i), '0x', 21000, BigInt(i + 1))
  s.write()
}

function tokenTransfers() {
  const s = new Scenario('token_transfers')
  const coin = s.deploy('Coin', 'COIN', ethers.parseEther('1000000'))
  for (let i = 1; i < people; i++) {
    s.add(s.setup, person(0), coin, call('Coin', 'transfer', person(i), ethers.parseEther('100')), 100_000)
  }
  for (let i = 0; i < count; i++) {
    const to = i % 4 === 0 ? address('new holder', i) : person(i * 7 + 1)
    s.add(s.transactions, person(i), coin, call('Coin', 'transfer', to, BigInt(1000 + i)), 100_000)
  }
  s.write()
}

function swaps() {
  const s = new Scenario('swaps')
  const coins = ['RED', 'BLUE'].map((symbol) => s.deploy('Coin', symbol, ethers.parseEther('100000000')))
  const pair = s.deploy('Pair', ...coins)
  const router = s.deploy('Router')
  for (const coin of coins) {
    for (let i = 0; i < people; i++) {
      s.add(s.setup, person(i), coin, call('Coin', 'approve', router, ethers.MaxUint256), 100_000)
      if (i > 0) s.add(s.setup, person(0), coin, call('Coin', 'transfer', person(i), ethers.parseEther('1000')), 100_000)
    }
  }
  const liquidity = ethers.parseEther('1000000')
  s.add(s.setup, person(0), router, call('Router', 'addLiquidity', pair, liquidity, liquidity), 500_000)
  for (let i = 0; i < count; i++) {
    const data = call('Router', 'swap', pair, i % 3 !== 0, BigInt(1e15) + BigInt(i), 1n, 2n ** 40n)
    s.add(s.transactions, person(i), router, data, 400_000)
  }
  s.write()
}

function accounts() {
  const s = new Scenario('accounts')
  const register = s.deploy('Accounts', person(0), 0)
  for (let i = 0; i < count; i++) {
    const holder = address('holder', i)
    s.fund(holder)
    const data = call('Accounts', 'create', `holder-${i}`, `https://example.org/accounts/${i}`)
    s.add(s.transactions, holder, register, data, 400_000)
  }
  s.write()
}

function deployments() {
  const s = new Scenario('deployments')
  const iface = new ethers.Interface(contracts.Coin.abi)
  const input = contracts.Coin.bytecode + iface.encodeDeploy(['COIN', 10n ** 24n]).slice(2)
  for (let i = 0; i < count / 4; i++) s.add(s.transactions, person(i), null, input, 2_000_000)
  s.write()
}

fs.mkdirSync(folder, { recursive: true })
for (const make of [transfers, newAccounts, tokenTransfers, swaps, accounts, deployments]) make()
