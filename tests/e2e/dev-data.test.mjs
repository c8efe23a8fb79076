// A development chain in a folder: it goes on where it was, after a stop, a kill, and snapshots taken back.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { ethers } from 'ethers'
import { root } from '../../scripts/solc.mjs'
import { contracts, isAnvil, keys, startNode } from './node.mjs'

const skip = isAnvil || process.env.ASHLAR_E2E_RPC !== undefined
const binary = path.join(process.env.ASHLAR_BIN ?? path.join(root, 'build', 'bin'), 'ashlar-node')
const durable = () => new Promise((resolve) => setTimeout(resolve, 900)) // half a second after a change, and some

function temporaryFolder(t) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'ashlar-dev-'))
  t.after(() => fs.rmSync(folder, { recursive: true }))
  return folder
}

const verify = (folder) => spawnSync(binary, ['db', 'verify', '--data', folder], { encoding: 'utf8' })
const friend = '0x00000000000000000000000000000000000000f1'

test('a contract and what it stored outlive the process', { skip }, async (t) => {
  const folder = temporaryFolder(t)
  let node = await startNode(['--data', folder])
  const connect = () => new ethers.Wallet(keys[0], new ethers.JsonRpcProvider(node.url, undefined, { staticNetwork: true, cacheTimeout: -1 }))
  let wallet = connect()
  const { abi, bytecode } = contracts.Token20
  const token = await new ethers.ContractFactory(abi, bytecode, wallet).deploy(1000n)
  await token.waitForDeployment()
  const address = await token.getAddress()
  const sent = await (await token.transfer(friend, 12n)).wait()
  assert.equal(await node.stop(), 0)

  node = await startNode(['--data', folder])
  wallet = connect()
  const again = new ethers.Contract(address, abi, wallet)
  assert.equal(await again.balanceOf(friend), 12n)
  const receipt = await wallet.provider.getTransactionReceipt(sent.hash)
  assert.equal(receipt.blockHash, sent.blockHash)
  assert.equal(receipt.logs.length, 1)
  await (await again.transfer(friend, 3n)).wait()
  assert.equal(await again.balanceOf(friend), 15n)
  assert.equal(await again.balanceOf(friend, { blockTag: sent.blockNumber }), 12n)
  assert.equal(await node.stop(), 0)
  assert.equal(verify(folder).status, 0, verify(folder).stderr)
})

test('a kill loses at most what was done in the last moment, and edits are kept', { skip }, async (t) => {
  const folder = temporaryFolder(t)
  let node = await startNode(['--data', folder])
  await node.rpc('anvil_setBalance', friend, '0x77')
  await node.rpc('evm_mine')
  await durable()
  process.kill(node.pid, 'SIGKILL')
  await node.stop()
  node = await startNode(['--data', folder])
  assert.equal(await node.rpc('eth_blockNumber'), '0x1')
  assert.equal(await node.rpc('eth_getBalance', friend, 'latest'), '0x77')
  assert.equal(await node.stop(), 0)
  assert.equal(verify(folder).status, 0, verify(folder).stderr)
})

test('what was taken back stays taken back', { skip }, async (t) => {
  const folder = temporaryFolder(t)
  let node = await startNode(['--data', folder])
  await node.rpc('evm_mine')
  const snapshot = await node.rpc('evm_snapshot')
  await node.rpc('anvil_setBalance', friend, '0x1')
  await node.rpc('evm_mine')
  await durable()
  assert.equal(await node.rpc('evm_revert', snapshot), true)
  assert.equal(await node.stop(), 0)
  node = await startNode(['--data', folder])
  assert.equal(await node.rpc('eth_blockNumber'), '0x1')
  assert.equal(await node.rpc('eth_getBalance', friend, 'latest'), '0x0')
  await node.rpc('evm_mine')
  await node.stop()
  assert.equal(verify(folder).status, 0, verify(folder).stderr)
})

test('a transaction that waits is still there', { skip }, async (t) => {
  const folder = temporaryFolder(t)
  let node = await startNode(['--data', folder, '--block-time', '3600'])
  const provider = new ethers.JsonRpcProvider(node.url, undefined, { staticNetwork: true, cacheTimeout: -1 })
  const { hash } = await new ethers.Wallet(keys[1], provider).sendTransaction({ to: friend, value: 9n })
  await node.stop()
  provider.destroy()
  node = await startNode(['--data', folder, '--block-time', '3600'])
  assert.equal((await node.rpc('eth_getTransactionByHash', hash)).blockNumber, null)
  await node.rpc('evm_mine')
  assert.equal((await node.rpc('eth_getTransactionReceipt', hash)).status, '0x1')
  await node.stop()
})

test('the folder has one owner, and one chain', { skip }, async (t) => {
  const folder = temporaryFolder(t)
  const node = await startNode(['--data', folder])
  const dev = (...args) => spawnSync(binary, ['dev', '--port', '0', '--data', folder, ...args], { encoding: 'utf8', timeout: 5000 })
  const second = dev()
  assert.equal(second.status, 1)
  assert.match(second.stderr, /in use by process \d+/)
  await node.stop()
  const other = dev('--chain-id', '5')
  assert.equal(other.status, 1)
  assert.match(other.stderr, /chain of id 31337: --chain-id 31337 goes on with it/)
})
