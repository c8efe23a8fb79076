// Makes the chains of the import benchmark under build/bench/import/KIND/: genesis.json and chain.rlp.
//   node bench/import/chains.mjs [--blocks N] [KIND...]
// The kinds: transfers (each to a fresh account), tokens (ERC-20), storage (fresh slots), computing, and mix (swaps,
// contract creation, accounts, transfers); and, made only when asked for by name, thousand (1,000 transfers a block) and
// million (the same, to accounts of a genesis that has a million). Prague rules, blocks about half full, the same bytes
// on every machine.
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { ethers } from 'ethers'
import { compile, root } from '../../scripts/solc.mjs'

const { values: options, positionals } = parseArgs({
  options: { blocks: { type: 'string', default: '300' } },
  allowPositionals: true,
})
const blocks = Number(options.blocks)
const maker = path.join(root, 'build', 'bench', 'make_chain')
const people = 200
const chainId = 7073
const gasLimit = 30_000_000
const thousandGasLimit = 2 * 1000 * 21_000
const million = 1_000_000
const hex = (value) => ethers.toQuantity(value)
const fresh = (kind, i) => ethers.dataSlice(ethers.id(`${kind} ${i}`), 12)
// An account of a large genesis: spread over the addresses, and cheap to name.
const settled = (i) => `0x${BigInt.asUintN(64, BigInt(i + 1) * 0x9e3779b97f4a7c15n).toString(16).padStart(16, '0')}${'5e'.repeat(12)}`
const contracts = compile([
  'bench/contracts/Exchange.sol', 'bench/contracts/Import.sol', 'contracts/Accounts.sol',
])
const call = (contract, name, ...args) => new ethers.Interface(contracts[contract].abi).encodeFunctionData(name, args)

const persons = Array.from({ length: people }, (_, i) => {
  const key = ethers.id(`person ${i}`)
  return { key, address: ethers.computeAddress(key).toLowerCase() }
})

class Chain {
  nonces = new Map()
  transactions = []

  constructor(perBlock, blockGas = gasLimit, accounts = 0) {
    this.perBlock = perBlock
    this.gasLimit = blockGas
    this.accounts = accounts
  }

  add(i, to, input, gas, value = 0n) {
    const { key, address } = persons[i % people]
    const nonce = this.nonces.get(address) ?? 0
    this.nonces.set(address, nonce + 1)
    this.transactions.push({
      type: '0x2', secretKey: key, nonce: hex(nonce), to, gas: hex(gas), value: hex(value), input,
      chainId: hex(chainId), maxFeePerGas: hex(100_000_000_000n), maxPriorityFeePerGas: '0x1',
    })
    return ethers.getCreateAddress({ from: address, nonce }).toLowerCase()
  }

  deploy(i, name, ...args) {
    const encoded = new ethers.Interface(contracts[name].abi).encodeDeploy(args)
    return this.add(i, null, contracts[name].bytecode + encoded.slice(2), 3_000_000)
  }

  // The setup stands in blocks of its own, of as many transactions as the others.
  fill() {
    while (this.transactions.length % this.perBlock) {
      this.add(this.transactions.length, fresh('filler', this.transactions.length), '0x', 21000, 1n)
    }
  }

  get full() {
    return this.transactions.length >= blocks * this.perBlock
  }
}

const kinds = {
  transfers() {
    const chain = new Chain(Math.floor(gasLimit / 2 / 21000))
    for (let i = 0; !chain.full; i++) chain.add(i, fresh('new', i), '0x', 21000, BigInt(i + 1))
    return chain
  },
  tokens() {
    const chain = new Chain(250)
    const coin = chain.deploy(0, 'Coin', 'COIN', ethers.parseEther('1000000'))
    for (let i = 1; i < people; i++) {
      chain.add(0, coin, call('Coin', 'transfer', persons[i].address, ethers.parseEther('100')), 100_000)
    }
    chain.fill()
    for (let i = 0; !chain.full; i++) {
      const to = i % 2 === 0 ? fresh('holder', i) : persons[(i * 7 + 1) % people].address
      chain.add(i, coin, call('Coin', 'transfer', to, BigInt(1000 + i)), 100_000)
    }
    return chain
  },
  storage() {
    const chain = new Chain(15)
    const store = chain.deploy(0, 'Slots')
    chain.fill()
    for (let i = 0; !chain.full; i++) chain.add(i, store, call('Slots', 'fill', 40), 1_200_000)
    return chain
  },
  computing() {
    const chain = new Chain(5)
    const work = chain.deploy(0, 'Work')
    chain.fill()
    for (let i = 0; !chain.full; i++) chain.add(i, work, call('Work', 'run', 6000 + (i % 7)), 5_000_000)
    return chain
  },
  mix() {
    const chain = new Chain(100)
    const coins = ['RED', 'BLUE'].map((symbol) => chain.deploy(0, 'Coin', symbol, ethers.parseEther('100000000')))
    const pair = chain.deploy(0, 'Pair', ...coins)
    const router = chain.deploy(0, 'Router')
    const register = chain.deploy(0, 'Accounts', persons[0].address, 0)
    chain.fill() // the contracts stand before they are called: a block holds their creation alone
    for (const coin of coins) {
      for (let i = 0; i < people; i++) {
        chain.add(i, coin, call('Coin', 'approve', router, ethers.MaxUint256), 100_000)
        if (i > 0) chain.add(0, coin, call('Coin', 'transfer', persons[i].address, ethers.parseEther('1000')), 100_000)
      }
    }
    const liquidity = ethers.parseEther('1000000')
    chain.add(0, router, call('Router', 'addLiquidity', pair, liquidity, liquidity), 500_000)
    chain.fill()
    const named = new Set()
    for (let i = 0; !chain.full; i++) {
      const who = i % people
      const turn = (i + Math.floor(i / people)) % 10
      if (turn < 5) {
        const data = call('Router', 'swap', pair, i % 3 !== 0, BigInt(1e15) + BigInt(i), 1n, 2n ** 40n)
        chain.add(who, router, data, 400_000)
      } else if (turn === 5) {
        chain.deploy(who, 'Coin', `C${i}`, 10n ** 24n)
      } else if (turn === 6 && !named.has(who)) {
        named.add(who)
        chain.add(who, register, call('Accounts', 'create', `holder-${i}`, `https://example.org/${i}`), 400_000)
      } else {
        chain.add(who, fresh('friend', i), '0x', 21000, BigInt(i + 1))
      }
    }
    return chain
  },
  thousand() {
    const chain = new Chain(1000, thousandGasLimit)
    for (let i = 0; !chain.full; i++) chain.add(i, fresh('new', i), '0x', 21000, BigInt(i + 1))
    return chain
  },
  million() {
    const chain = new Chain(1000, thousandGasLimit, million)
    for (let i = 0; !chain.full; i++) chain.add(i, settled((i * 7919) % million), '0x', 21000, BigInt(i + 1))
    return chain
  },
}

function genesis({ gasLimit, accounts }) {
  const alloc = JSON.parse(execFileSync(maker, ['predeploys', 'Prague']))
  for (const { address } of persons) alloc[address] = { balance: hex(ethers.parseEther('1000000')) }
  for (let i = 0; i < accounts; i++) alloc[settled(i)] = { balance: hex(1_000_000 + i) }
  const forks = Object.fromEntries(
    ['homestead', 'eip150', 'eip155', 'eip158', 'byzantium', 'constantinople', 'petersburg', 'istanbul', 'muirGlacier',
      'berlin', 'london', 'arrowGlacier', 'grayGlacier'].map((name) => [`${name}Block`, 0]))
  const blob = { target: 6, max: 9, baseFeeUpdateFraction: 5007716 }
  const config = {
    chainId, ...forks, mergeNetsplitBlock: 0, shanghaiTime: 0, cancunTime: 0, pragueTime: 0, terminalTotalDifficulty: 0,
    depositContractAddress: '0x00000000219ab540356cbb839cbe05303d7705fa',
    blobSchedule: { cancun: { target: 3, max: 6, baseFeeUpdateFraction: 3338477 }, prague: blob },
  }
  return {
    config, nonce: '0x0', timestamp: '0x68000000', extraData: '0x', gasLimit: hex(gasLimit), difficulty: '0x0',
    mixHash: ethers.ZeroHash, coinbase: ethers.ZeroAddress, baseFeePerGas: '0x3b9aca00', alloc,
  }
}

const wanted = positionals.length > 0 ? positionals : ['transfers', 'tokens', 'storage', 'computing', 'mix']
for (const kind of wanted) {
  if (!kinds[kind]) throw new Error(`there is no kind ${kind}: ${Object.keys(kinds).join(', ')}`)
  const folder = path.join(root, 'build', 'bench', 'import', `${kind}-${blocks}`)
  const chainFile = path.join(folder, 'chain.rlp')
  if (fs.existsSync(chainFile)) continue
  fs.mkdirSync(folder, { recursive: true })
  const chain = kinds[kind]()
  const { perBlock, transactions } = chain
  const start = genesis(chain)
  const scenario = path.join(folder, 'scenario.json')
  const genesisFile = path.join(folder, 'genesis.json')
  fs.writeFileSync(genesisFile, JSON.stringify(start, null, chain.accounts ? 0 : 1))
  fs.writeFileSync(scenario, JSON.stringify({ perBlock, transactions }))
  const report = execFileSync(maker, ['build', genesisFile, scenario, `${chainFile}.part`], { stdio: ['ignore', 'pipe', 'inherit'] })
  fs.writeFileSync(path.join(folder, 'gas'), report.toString().match(/(\d+) gas/)[1])
  fs.renameSync(`${chainFile}.part`, chainFile)
  fs.rmSync(scenario)
  console.log(`${kind}: ${report.toString().trim()}`)
}
