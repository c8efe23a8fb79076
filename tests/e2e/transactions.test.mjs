// Every type of transaction is accepted, and every refusal has the words that clients look for.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { ethers } from 'ethers'
import { createTestClient, encodeFunctionData, http, publicActions, walletActions } from 'viem'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { foundry } from 'viem/chains'
import { addresses, castBinary, contracts, isAnvil, keys, receiptOf, request, startNode } from './node.mjs'

const { abi, bytecode } = contracts.Trials
const account = privateKeyToAccount(keys[0])
const wallet = new ethers.Wallet(keys[1])
const gwei = 10n ** 9n
let node, client, trials

before(async () => {
  node = await startNode()
  client = createTestClient({ chain: foundry, mode: 'anvil', transport: http(node.url), pollingInterval: 10 })
    .extend(publicActions)
    .extend(walletActions)
  const receipt = await mined(await client.deployContract({ abi, bytecode, account }))
  trials = receipt.contractAddress
})
after(() => node?.stop())

const mined = (hash) => client.waitForTransactionReceipt({ hash })
const callData = (functionName, ...args) => encodeFunctionData({ abi, functionName, args })
const read = (functionName, ...args) => client.readContract({ abi, address: trials, functionName, args })

test('type 0, legacy, protected by the chain id', async () => {
  const receipt = await mined(await client.sendTransaction({ account, to: addresses[3], value: 5n, gasPrice: 2n * gwei }))
  const tx = await client.getTransaction({ hash: receipt.transactionHash })
  assert.equal(tx.type, 'legacy')
  assert.equal(tx.chainId, 31337)
  assert.ok(tx.v === 31337n * 2n + 35n || tx.v === 31337n * 2n + 36n)
  assert.equal(receipt.gasUsed, 21000n)
  assert.equal(receipt.effectiveGasPrice, 2n * gwei)
})

test('type 0, legacy, without a chain id (EIP-155 is not compulsory)', async () => {
  const nonce = await node.rpc('eth_getTransactionCount', wallet.address, 'latest')
  const tx = ethers.Transaction.from({ type: 0, to: addresses[3], value: 1, gasLimit: 21000, gasPrice: 2n * gwei, nonce: Number(nonce) })
  tx.signature = wallet.signingKey.sign(tx.unsignedHash)
  const receipt = await receiptOf(node, await node.rpc('eth_sendRawTransaction', tx.serialized))
  assert.equal(receipt.status, '0x1')
  const found = await node.rpc('eth_getTransactionByHash', tx.hash)
  assert.ok(['0x1b', '0x1c'].includes(found.v))
})

test('type 1, access list', async () => {
  const { accessList } = await client.createAccessList({ account, to: trials, data: callData('set', 1n, 2n) })
  assert.equal(accessList.length, 1)
  assert.equal(accessList[0].address.toLowerCase(), trials.toLowerCase())
  const receipt = await mined(
    await client.sendTransaction({ account, to: trials, data: callData('set', 1n, 2n), accessList, gasPrice: 2n * gwei }),
  )
  assert.equal(receipt.type, 'eip2930')
  const tx = await client.getTransaction({ hash: receipt.transactionHash })
  assert.deepEqual(tx.accessList, accessList)
  assert.equal(await read('slots', 1n), 2n)
})

test('type 2, fee market: the tip is paid and the rest comes back', async () => {
  const before = await client.getBalance({ address: account.address })
  const receipt = await mined(
    await client.sendTransaction({
      account, to: addresses[3], value: 7n, maxFeePerGas: 50n * gwei, maxPriorityFeePerGas: gwei,
    }),
  )
  const block = await client.getBlock({ blockHash: receipt.blockHash })
  assert.equal(receipt.type, 'eip1559')
  assert.equal(receipt.effectiveGasPrice, block.baseFeePerGas + gwei)
  const after = await client.getBalance({ address: account.address })
  assert.equal(before - after, 7n + receipt.gasUsed * receipt.effectiveGasPrice)
})

test('type 3, blobs, made by cast', async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'ashlar-blob-'))
  const file = path.join(folder, 'blob')
  fs.writeFileSync(file, 'a blob of data')
  const argv = ['send', '--json', '--private-key', keys[2], '--rpc-url', node.url, '--blob', '--path', file, addresses[3]]
  const { stdout } = await promisify(execFile)(castBinary, argv)
  fs.rmSync(folder, { recursive: true })
  const receipt = JSON.parse(stdout)
  assert.equal(receipt.status, '0x1')
  assert.equal(receipt.type, '0x3')
  assert.equal(BigInt(receipt.blobGasUsed), 131072n)
  assert.ok(BigInt(receipt.blobGasPrice) >= 1n)
  const tx = await node.rpc('eth_getTransactionByHash', receipt.transactionHash)
  assert.equal(tx.blobVersionedHashes.length, 1)
  assert.match(tx.blobVersionedHashes[0], /^0x01/)
  const block = await node.rpc('eth_getBlockByHash', receipt.blockHash, false)
  assert.equal(BigInt(block.blobGasUsed), 131072n)
})

test('type 4, an account delegates to a contract and back', async () => {
  const eoa = privateKeyToAccount(generatePrivateKey())
  const authorization = await client.signAuthorization({ account: eoa, contractAddress: trials })
  // Who agreed is warm anyway, and in no access list, as geth has it.
  const probe = '0x00000000000000000000000000000000000000ab'
  const looks = { [probe]: { code: `0x73${eoa.address.slice(2)}3150` } } // BALANCE
  const agreed = ['chainId', 'nonce', 'yParity', 'r', 's'].map((key) => [key, ethers.toQuantity(authorization[key])])
  const list = async (authorizationList) =>
    (await node.rpc('eth_createAccessList', { from: account.address, to: probe, authorizationList }, 'latest', looks)).accessList
  if (!isAnvil) {
    assert.deepEqual(await list(), [{ address: eoa.address.toLowerCase(), storageKeys: [] }])
    assert.deepEqual(await list([{ ...Object.fromEntries(agreed), address: trials }]), [])
  }
  const receipt = await mined(
    await client.sendTransaction({ account, to: eoa.address, data: callData('bump'), authorizationList: [authorization] }),
  )
  assert.equal(receipt.status, 'success')
  assert.equal(receipt.type, 'eip7702')
  assert.equal(await client.getCode({ address: eoa.address }), `0xef0100${trials.slice(2).toLowerCase()}`)
  assert.equal(await client.readContract({ abi, address: eoa.address, functionName: 'counter' }), 1n)
  assert.equal(await client.getTransactionCount({ address: eoa.address }), 1)
  const tx = await node.rpc('eth_getTransactionByHash', receipt.transactionHash)
  assert.equal(tx.authorizationList.length, 1)
  assert.equal(tx.authorizationList[0].address.toLowerCase(), trials.toLowerCase())

  const undo = await client.signAuthorization({ account: eoa, contractAddress: ethers.ZeroAddress })
  await mined(await client.sendTransaction({ account, to: account.address, authorizationList: [undo] }))
  assert.equal(await client.getCode({ address: eoa.address }), undefined)
})

test('a creation gives the address of sender and nonce; CREATE2 factories run', async () => {
  const nonce = await client.getTransactionCount({ address: account.address })
  const receipt = await mined(await client.deployContract({ abi, bytecode, account }))
  const expected = ethers.getCreateAddress({ from: account.address, nonce })
  assert.equal(ethers.getAddress(receipt.contractAddress), expected)
})

// What is refused, how it was spoilt, and the words that ethers, viem or wallets look for.
const signed = async (fields) => {
  const nonce = Number(await node.rpc('eth_getTransactionCount', wallet.address, 'latest'))
  const whole = {
    chainId: 31337, nonce, to: addresses[3], gasLimit: 21000, maxFeePerGas: 20n * gwei, maxPriorityFeePerGas: 1n,
    ...fields,
  }
  return encode1559(whole)
}
// EIP-1559's encoding by hand: ethers itself refuses to sign what the node is to refuse.
function encode1559(tx) {
  const number = (value) => ethers.toBeArray(value)
  const { chainId, nonce, maxPriorityFeePerGas, maxFeePerGas, gasLimit, to, value = 0, data = '0x' } = tx
  const numbers = [chainId, nonce, maxPriorityFeePerGas, maxFeePerGas, gasLimit].map(number)
  const body = [...numbers, to, number(value), data, []]
  const envelope = (fields) => ethers.concat(['0x02', ethers.encodeRlp(fields)])
  const { yParity, r, s } = wallet.signingKey.sign(ethers.keccak256(envelope(body)))
  return envelope([...body, ...[yParity, r, s].map((part) => number(BigInt(part)))])
}
const refusals = [
  { name: 'nonce too low', fields: { nonce: 0 }, words: /nonce too low/ },
  {
    name: 'insufficient funds', fields: { value: 10n ** 30n },
    words: /insufficient funds for gas \* price \+ value/i,
  },
  { name: 'intrinsic gas too low', fields: { gasLimit: 20999 }, words: /intrinsic gas too low/ },
  {
    name: 'calldata floor (EIP-7623)', fields: { gasLimit: 21000 + 16 * 1000, data: '0x' + '11'.repeat(1000) },
    words: /insufficient gas for floor data gas cost|intrinsic gas too low|gas floor/, skip: isAnvil && 'anvil takes it',
  },
  {
    name: 'tip above fee cap', fields: { maxPriorityFeePerGas: 21n * gwei },
    words: /max priority fee per gas higher than max fee per gas|tip higher than fee cap/,
  },
  {
    name: 'fee cap under the base fee', fields: { maxFeePerGas: 1n },
    words: /max fee per gas less than block base fee|fee cap less than block base fee/,
  },
  {
    name: 'gas over the block limit', fields: { gasLimit: 2n ** 40n, maxFeePerGas: 1n * gwei },
    words: /exceeds block gas limit|gas limit too high|intrinsic gas too high/,
  },
  { name: 'another chain', fields: { chainId: 1 }, words: /invalid chain id|invalid sender|chain id/i },
]
for (const { name, fields, words, skip } of refusals) {
  test(`refused: ${name}`, { skip }, async () => {
    const answer = await request(node.url, 'eth_sendRawTransaction', [await signed(fields)])
    assert.ok(answer.error, `taken: ${JSON.stringify(answer)}`)
    assert.match(answer.error.message, words)
    assert.ok(answer.error.code < 0, `code ${answer.error.code}`)
  })
}

test('refused: a transaction already known', async () => {
  const raw = await signed({ value: 3n })
  await receiptOf(node, await node.rpc('eth_sendRawTransaction', raw))
  const { error } = await request(node.url, 'eth_sendRawTransaction', [raw])
  assert.match(error.message, /already known|nonce too low|transaction already imported/)
})

test('refused: an unknown type, broken RLP, a bad signature', async () => {
  const good = await signed({})
  const trailing = isAnvil ? [] : [good + '00'] // anvil reads only as far as the list goes
  for (const raw of ['0x7fc0', '0x', good.slice(0, -2), ...trailing, '0x02' + 'ff'.repeat(40), 'zz', 5, null]) {
    const answer = await request(node.url, 'eth_sendRawTransaction', [raw])
    assert.ok(answer.error, `taken: ${raw}`)
    assert.equal(typeof answer.error.message, 'string')
  }
  const { error } = await request(node.url, 'eth_sendRawTransaction', ['0x7fc0'])
  if (!isAnvil) assert.match(error.message, /transaction type not supported/)
})

test('a nonce in the future waits or is refused, and the gap closes', async () => {
  const nonce = Number(await node.rpc('eth_getTransactionCount', wallet.address, 'latest'))
  const answer = await request(node.url, 'eth_sendRawTransaction', [await signed({ nonce: nonce + 1, value: 9n })])
  if (answer.error) {
    assert.match(answer.error.message, /nonce too high/)
    return
  }
  assert.equal(await node.rpc('eth_getTransactionReceipt', answer.result), null)
  await receiptOf(node, await node.rpc('eth_sendRawTransaction', await signed({ nonce, value: 9n })))
  assert.equal((await receiptOf(node, answer.result)).status, '0x1')
})

test('ethers and viem know the errors by name', async () => {
  const provider = new ethers.JsonRpcProvider(node.url)
  const poor = ethers.Wallet.createRandom(provider)
  const fixed = { to: addresses[3], gasLimit: 21000, maxFeePerGas: 20n * gwei, maxPriorityFeePerGas: 1n, nonce: 0 }
  await assert.rejects(poor.sendTransaction({ ...fixed, value: 1n }), { code: 'INSUFFICIENT_FUNDS' })
  const rich = new ethers.Wallet(keys[1], provider)
  await assert.rejects(rich.sendTransaction({ ...fixed, value: 1n }), { code: 'NONCE_EXPIRED' })
  provider.destroy()
  const low = client.sendTransaction({ account, to: addresses[3], nonce: 0, gas: 21000n })
  await assert.rejects(low, (error) => error.walk((e) => e.name === 'NonceTooLowError') !== null)
})
