// A development chain in a folder: it goes on where it was, after a stop, a kill, and snapshots taken back.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { ethers } from 'ethers'
import { root } from '../../scripts/solc.mjs'
import { addresses, contracts, isAnvil, keys, post, startNode } from './node.mjs'

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

test('with little memory older blocks and states are read from the folder', { skip }, async (t) => {
  const folder = temporaryFolder(t)
  const node = await startNode(['--data', folder, '--memory', '64M', '--state', '64'])
  const { abi, bytecode } = contracts.Token20
  const wallet = new ethers.Wallet(keys[0], new ethers.JsonRpcProvider(node.url, undefined, { staticNetwork: true, cacheTimeout: -1 }))
  const token = await new ethers.ContractFactory(abi, bytecode, wallet).deploy(10n ** 9n)
  await token.waitForDeployment()
  await node.rpc('evm_setAutomine', false)
  const hashes = []
  for (let block = 0; block < 12; block++) {
    const start = Number(await node.rpc('eth_getTransactionCount', wallet.address, 'latest'))
    const sends = Array.from({ length: 300 }, (_, i) => ({
      jsonrpc: '2.0', id: i, method: 'eth_sendTransaction',
      params: [{ from: wallet.address, to: token.target, nonce: `0x${(start + i).toString(16)}`, gas: '0xfde8', data: token.interface.encodeFunctionData('transfer', [friend, 1n]) }],
    }))
    const answers = (await post(node.url, sends)).json
    hashes.push(answers.map(({ result }) => result))
    await node.rpc('evm_mine')
  }
  await durable()
  const head = Number(await node.rpc('eth_blockNumber'))
  for (const [i, hash] of hashes.entries()) {
    const receipt = await node.rpc('eth_getTransactionReceipt', hash[299])
    assert.equal(receipt.logs.length, 1)
    const block = await node.rpc('eth_getBlockByNumber', receipt.blockNumber, true)
    assert.equal(block.transactions.length, 300)
    assert.deepEqual(block.transactions.map((tx) => tx.hash), hash)
    assert.equal(await token.balanceOf(friend, { blockTag: Number(receipt.blockNumber) }), 300n * BigInt(i + 1))
  }
  assert.equal((await node.rpc('eth_getLogs', { fromBlock: '0x0', toBlock: 'latest', address: token.target })).length, 12 * 300 + 1)
  await node.rpc('anvil_rollback', 5)
  assert.equal(Number(await node.rpc('eth_blockNumber')), head - 5)
  assert.equal(await token.balanceOf(friend), 300n * 7n)
  assert.equal(await node.stop(), 0)
  assert.equal(verify(folder).status, 0, verify(folder).stderr)
})

test('text within a request is bounded like the request', { skip }, async (t) => {
  const node = await startNode(['--data', temporaryFolder(t), '--memory', '64M'])
  t.after(() => node.stop())
  const many = `[${'1,'.repeat(500_000)}1]`
  await assert.rejects(node.rpc('anvil_loadState', `0x${Buffer.from(many).toString('hex')}`), /holds more values than may be at a time/)
  await assert.rejects(node.rpc('eth_signTypedData_v4', addresses[0], many), /holds more values than may be at a time/)
})

test('a ceiling on memory that cannot be kept is refused', { skip }, (t) => {
  const folder = temporaryFolder(t)
  const refused = (...words) => {
    const done = spawnSync(binary, words, { encoding: 'utf8' })
    assert.equal(done.status, 2, done.stderr)
    return done.stderr
  }
  assert.match(refused('run', '--data', folder, '--memory', '10M'), /at least 59M is needed with blocks of 30 million gas/)
  assert.match(refused('import', '--data', folder, '--memory', 'much', 'chain.rlp'), /--memory much: a size is needed, like 256M or 2G/)
  assert.match(refused('dev', '--memory', '1G'), /--memory goes with --data; in memory, --history bounds it/)
  assert.match(refused('dev', '--data', folder, '--memory', '64M', '--gas-limit', '100000000'), /at least \d+M is needed with blocks of 100 million gas/)
})
