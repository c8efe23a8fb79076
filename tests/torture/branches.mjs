// A chain file full of reorganisations, made by a development node: blocks of transfers and contract calls, every now
// and then some blocks back, and on along another branch. A node that imports it in order goes back and forth with it.
import fs from 'node:fs'
import path from 'node:path'
import { addresses, startNode } from '../e2e/node.mjs'

// Pseudo-random numbers from a seed: mulberry32.
export function randomFrom(seed) {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const forks = ['homestead', 'eip150', 'eip155', 'eip158', 'byzantium', 'constantinople', 'petersburg', 'istanbul',
  'berlin', 'london'].map((name) => [`${name}Block`, 0])
const times = ['shanghai', 'cancun', 'prague', 'osaka'].map((name) => [`${name}Time`, 0])

// A genesis file that makes the same first block as the node's.
export async function genesisOf(node) {
  const block = await node.rpc('eth_getBlockByNumber', '0x0', false)
  const system = ['0x000f3df6d732807ef1319fb7b8bb8522d0beac02', '0x0000f90827f1c53a10cb7a02335b175320002935',
    '0x00000961ef480eb55e80d19ad83579a64c007002', '0x0000bbddc7ce488642fb579f8b00f3a590007251']
  const alloc = {}
  for (const address of [...(await node.rpc('eth_accounts')), ...system])
    alloc[address] = {
      balance: await node.rpc('eth_getBalance', address, '0x0'),
      nonce: await node.rpc('eth_getTransactionCount', address, '0x0'),
      code: await node.rpc('eth_getCode', address, '0x0'),
    }
  return {
    config: {
      chainId: Number(await node.rpc('eth_chainId')),
      ...Object.fromEntries([...forks, ...times]),
      terminalTotalDifficulty: 0,
      blobSchedule: {
        cancun: { target: 3, max: 6, baseFeeUpdateFraction: 3338477 },
        prague: { target: 6, max: 9, baseFeeUpdateFraction: 5007716 },
        osaka: { target: 6, max: 9, baseFeeUpdateFraction: 5007716 },
      },
    },
    ...Object.fromEntries(['timestamp', 'extraData', 'gasLimit', 'difficulty', 'mixHash', 'baseFeePerGas']
      .map((key) => [key, block[key]])),
    coinbase: block.miner,
    alloc,
  }
}

// Stores the word it is called with under its own last six bits, and logs: sstore(word & 63, word), log0.
const writer = '0x6a5f3580603f16555f5fa0005f52600b6015f3'

async function sendSome(node, random, contract) {
  const count = Math.floor(random() * 4)
  for (let i = 0; i < count; i++) {
    const from = addresses[Math.floor(random() * addresses.length)].toLowerCase()
    const to = random() < 0.5 ? `0x${Math.floor(random() * 2 ** 40).toString(16).padStart(40, '0')}` : contract
    const word = random() < 0.2 ? 0 : Math.floor(random() * 2 ** 48)
    const data = to === contract ? `0x${word.toString(16).padStart(64, '0')}` : '0x'
    await node.rpc('eth_sendTransaction', { from, to, data, value: to === contract ? '0x0' : '0x1', gas: '0x30d40' })
  }
  if (random() < 0.1)
    await node.rpc('eth_sendTransaction', { from: addresses[0].toLowerCase(), data: writer, gas: '0x4c4b40' })
}

// Writes genesis.json and chain.rlp into the folder; resolves to the blocks' hashes and numbers in the file's order. A
// straight chain of so many blocks may come before, which no branch leaves; it is in straight.rlp. A branch leaves at most
// so many blocks below the highest yet: a node that keeps fewer states refuses it.
export async function writeBranches(folder, { blocks, seed, straight = 0, reach = Infinity }) {
  const random = randomFrom(seed)
  const node = await startNode(['--accounts', '10'])
  const order = []
  const parts = []
  try {
    fs.mkdirSync(folder, { recursive: true })
    fs.writeFileSync(path.join(folder, 'genesis.json'), JSON.stringify(await genesisOf(node), null, 1))
    await node.rpc('evm_setAutomine', false)
    const moments = [await node.rpc('evm_snapshot')]
    let contract
    let highest = 0
    while (order.length < straight + blocks) {
      const tip = moments.length - 1
      const target = Math.max(tip - 1 - Math.floor(random() * 6), highest - reach)
      if (tip >= straight + 8 && target < tip && random() < 0.15) {
        await node.rpc('evm_revert', moments[target])
        moments.length = target
        moments.push(await node.rpc('evm_snapshot'))
        // Blocks of one branch are not those of another; the address is no precompile's.
        await node.rpc('hardhat_setCoinbase', `0x${(0x10000 + order.length).toString(16).padStart(40, '0')}`)
      }
      await sendSome(node, random, contract ?? addresses[1].toLowerCase())
      await node.rpc('evm_mine')
      const block = await node.rpc('eth_getBlockByNumber', 'latest', true)
      for (const { hash, to } of block.transactions)
        if (to === null) contract = (await node.rpc('eth_getTransactionReceipt', hash)).contractAddress
      parts.push(Buffer.from((await node.rpc('debug_getRawBlock', 'latest')).slice(2), 'hex'))
      order.push({ hash: block.hash, number: Number(block.number) })
      highest = Math.max(highest, Number(block.number))
      moments.push(await node.rpc('evm_snapshot'))
    }
  } finally {
    await node.stop()
  }
  if (straight) fs.writeFileSync(path.join(folder, 'straight.rlp'), Buffer.concat(parts.slice(0, straight)))
  fs.writeFileSync(path.join(folder, 'chain.rlp'), Buffer.concat(parts.slice(straight)))
  return order
}
