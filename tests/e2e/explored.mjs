// A chain of transactions that do inside of them everything that an explorer shows, one block each.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import { ethers } from 'ethers'
import { anvilBinary, contracts, keys, startNode } from './node.mjs'

export const friend = '0x00000000000000000000000000000000000000f1'
export const other = '0x00000000000000000000000000000000000000f2'
export const heir = '0x00000000000000000000000000000000000000f3'
export const [alice, bob] = keys.map((key) => new ethers.Wallet(key))
export const face = new ethers.Interface(contracts.Explored.abi)
export const explored = ethers.getCreateAddress({ from: alice.address, nonce: 0 }).toLowerCase()
export const token = ethers.getCreateAddress({ from: alice.address, nonce: 1 }).toLowerCase()
export const [made, madeMore, , mortal, flashed] = [1, 2, 3, 4, 5].map((nonce) => ethers.getCreateAddress({ from: explored, nonce }).toLowerCase())
const salt = '0x' + '5a'.repeat(32)
export const salted = ethers.getCreate2Address(explored, salt, ethers.keccak256(contracts.Made.bytecode)).toLowerCase()

// Each transaction of these tests, signed, and how it is called here.
export const script = []
export const nonces = { alice: 0, bob: 0 }
async function add(name, to, data, { value = 0n, by = 'alice', gasLimit = 3_000_000n } = {}) {
  const tx = { chainId: 31337, type: 2, nonce: nonces[by]++, to, data, value, gasLimit, maxFeePerGas: 20n * 10n ** 9n, maxPriorityFeePerGas: 1n }
  const raw = await { alice, bob }[by].signTransaction(tx)
  script.push({ name, raw, hash: ethers.keccak256(raw) })
}
const call = (name, ...args) => face.encodeFunctionData(name, args)
export const hashOf = (name) => script.find((entry) => entry.name === name).hash

async function writeScript() {
  const supply = ethers.AbiCoder.defaultAbiCoder().encode(['uint256'], [1000n])
  await add('deploy', null, contracts.Explored.bytecode)
  await add('token', null, contracts.Token20.bytecode + supply.slice(2))
  await add('fund', explored, '0x', { value: 1000n })
  await add('make', explored, call('make'), { value: 5n })
  await add('make more', explored, call('make'), { by: 'bob' })
  await add('make salted', explored, call('makeSalted', salt), { value: 6n })
  await add('make salted again', explored, call('makeSalted', salt), { by: 'bob' }) // which fails
  await add('pay', explored, call('pay', friend, other), { value: 10n })
  await add('look', explored, call('look', made))
  await add('transfer', token, new ethers.Interface(contracts.Token20.abi).encodeFunctionData('transfer', [friend, 7n]))
  await add('make mortal', explored, call('makeMortal'), { value: 5n })
  await add('end', explored, call('end', heir), { by: 'bob' })
  await add('flash', explored, call('flash', heir), { value: 3n })
  await add('sour', explored, call('failRich', 9n))
  await add('plain', friend, '0x', { value: 4n, by: 'bob', gasLimit: 21000n })
}

// One block each.
export async function play(node) {
  for (const { raw, name } of script) {
    const hash = await node.rpc('eth_sendRawTransaction', raw)
    for (let tries = 200; !(await node.rpc('eth_getTransactionReceipt', hash)); tries--) {
      assert.ok(tries, `${name} was not included`)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }
}

// A node on which all of it has happened, and anvil with the same where there is one. stop() ends both.
export async function startBoth(...peerFlags) {
  await writeScript()
  const node = await startNode()
  await play(node)
  const peer = fs.existsSync(anvilBinary) ? await startNode(['--hardfork', 'osaka', ...peerFlags], { peer: true }) : undefined
  if (peer) await play(peer)
  return { node, peer, stop: () => Promise.all([node.stop(), peer?.stop()]) }
}
