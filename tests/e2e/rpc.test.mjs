// JSON-RPC as clients meet it: HTTP, batches, error shapes, blocks and tags, calls with overrides, logs and filters.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { ethers } from 'ethers'
import { sendFrom } from './accounts.mjs'
import { addresses, contracts, isAnvil, post, request, startNode } from './node.mjs'

const iface = new ethers.Interface(contracts.Trials.abi)
const [alice, bob] = addresses
let node, trials, deployed

before(async () => {
  node = await startNode()
  deployed = await sendFrom(node, alice, undefined, contracts.Trials.bytecode)
  trials = deployed.contractAddress
  await sendFrom(node, alice, trials, iface.encodeFunctionData('log', ['hello', '0x1234']))
  await sendFrom(node, bob, trials, iface.encodeFunctionData('logMany', [20]))
})
after(() => node?.stop())

const encode = (name, ...args) => iface.encodeFunctionData(name, args)
const call = (name, args = [], more = {}, ...rest) =>
  request(node.url, 'eth_call', [{ to: trials, data: encode(name, ...args), ...more }, ...rest])
async function result(name, args, more, ...rest) {
  const { result, error } = await call(name, args, more, ...rest)
  assert.equal(error, undefined, error?.message)
  return iface.decodeFunctionResult(name, result)
}

// --- HTTP ------------------------------------------------------------------------------------------

test('CORS: a browser may ask first, and may call', async () => {
  const headers = {
    origin: 'https://remix.ethereum.org',
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'content-type',
    'access-control-request-private-network': 'true',
  }
  const preflight = await fetch(node.url, { method: 'OPTIONS', headers })
  assert.ok(preflight.status === 200 || preflight.status === 204, `status ${preflight.status}`)
  assert.ok(['*', headers.origin].includes(preflight.headers.get('access-control-allow-origin')))
  assert.match(preflight.headers.get('access-control-allow-methods') ?? '', /POST|\*/)
  assert.match(preflight.headers.get('access-control-allow-headers') ?? '', /content-type|\*/i)
  if (!isAnvil) assert.equal(preflight.headers.get('access-control-allow-private-network'), 'true')
  const answer = await post(node.url, { jsonrpc: '2.0', id: 1, method: 'eth_chainId' }, { origin: headers.origin })
  assert.ok(['*', headers.origin].includes(answer.headers.get('access-control-allow-origin')))
  assert.match(answer.headers.get('content-type'), /application\/json/)
})

test('a batch keeps its order, and an error keeps its place', async () => {
  const { json } = await post(node.url, [
    { jsonrpc: '2.0', id: 7, method: 'eth_blockNumber' },
    { jsonrpc: '2.0', id: 'x', method: 'no_such' },
    { jsonrpc: '2.0', id: 3, method: 'eth_chainId', params: [] },
    { jsonrpc: '2.0', id: 9, method: 'eth_getBalance', params: ['nonsense', 'latest'] },
  ])
  assert.deepEqual(json.map((answer) => answer.id), [7, 'x', 3, 9])
  assert.equal(json[1].error.code, -32601)
  assert.equal(json[2].result, '0x7a69')
  assert.equal(json[3].error.code, -32602)
})

test('bad requests have the codes of JSON-RPC 2.0', async () => {
  const cases = [
    ['{"jsonrpc":"2.0","id":1', -32700],
    ['[]', -32600],
    ['{"jsonrpc":"2.0","id":1}', -32600],
    [{ jsonrpc: '2.0', id: 1, method: 'eth_noSuchThing' }, -32601],
    [{ jsonrpc: '2.0', id: 1, method: 'eth_getBalance', params: [] }, -32602],
    [{ jsonrpc: '2.0', id: 1, method: 'eth_getBalance', params: ['0x12', 'latest'] }, -32602],
    [{ jsonrpc: '2.0', id: 1, method: 'eth_getBlockByNumber', params: ['0xzz', false] }, -32602],
  ]
  for (const [body, code] of cases) {
    const { json } = await post(node.url, body)
    if (isAnvil && code === -32600) continue // anvil answers -32602 or nothing
    if (isAnvil && code === -32700) continue
    assert.equal(json.error?.code, code, `${JSON.stringify(body)}: ${JSON.stringify(json)}`)
  }
  const { error } = await request(node.url, 'eth_noSuchThing')
  if (!isAnvil) assert.equal(error.message, 'the method eth_noSuchThing does not exist/is not available')
})

test('the id comes back as it was sent', async () => {
  for (const id of [0, 12345678901, 'text', null]) {
    const { json } = await post(node.url, { jsonrpc: '2.0', id, method: 'net_version', params: [] })
    assert.deepEqual(json.id, id)
    assert.equal(json.result, '31337')
  }
})

// --- blocks, transactions, tags ----------------------------------------------------------------------

test('the unknown is null, not an error', async () => {
  const nothing = '0x' + '12'.repeat(32)
  for (const [method, ...params] of [
    ['eth_getTransactionByHash', nothing],
    ['eth_getTransactionReceipt', nothing],
    ['eth_getBlockByHash', nothing, false],
    ['eth_getBlockByNumber', '0xffffff', true],
    ['eth_getTransactionByBlockNumberAndIndex', 'latest', '0x99'],
    ['eth_getUncleByBlockNumberAndIndex', 'latest', '0x0'],
  ]) {
    const answer = await request(node.url, method, params)
    assert.equal(answer.result, null, `${method}: ${JSON.stringify(answer)}`)
  }
})

test('all five tags, numbers and EIP-1898 objects name blocks', async () => {
  const { hash, number } = await node.rpc('eth_getBlockByNumber', 'latest', false)
  for (const tag of ['earliest', 'latest', 'pending', 'safe', 'finalized', number]) {
    assert.ok(await node.rpc('eth_getBlockByNumber', tag, false), tag)
    assert.match(await node.rpc('eth_getBalance', bob, tag), /^0x[0-9a-f]+$/)
  }
  const balance = await node.rpc('eth_getBalance', bob, 'latest')
  if (!isAnvil) assert.equal(await node.rpc('eth_getBalance', bob), balance)
  assert.equal(await node.rpc('eth_getBalance', bob, { blockHash: hash }), balance)
  assert.equal(await node.rpc('eth_getBalance', bob, { blockHash: hash, requireCanonical: true }), balance)
  assert.equal(await node.rpc('eth_getBalance', bob, { blockNumber: number }), balance)
  assert.equal(await node.rpc('eth_getBalance', bob, '0x0'), ethers.toQuantity(ethers.parseEther('10000')))
})

test('a block has every field of its fork, and its hash is the hash of its header', async () => {
  const block = await node.rpc('eth_getBlockByNumber', 'latest', true)
  const quantities = ['number', 'gasLimit', 'gasUsed', 'timestamp', 'baseFeePerGas', 'difficulty', 'size', 'blobGasUsed', 'excessBlobGas']
  for (const field of quantities) assert.match(block[field], /^0x(0|[1-9a-f][0-9a-f]*)$/, field)
  for (const field of ['mixHash', 'withdrawalsRoot', 'parentBeaconBlockRoot', 'requestsHash', 'stateRoot']) {
    assert.match(block[field], /^0x[0-9a-f]{64}$/, field)
  }
  assert.match(block.nonce, /^0x[0-9a-f]{16}$/)
  assert.ok(block.extraData.length <= 2 + 64)
  assert.deepEqual([block.uncles, block.withdrawals], [[], []])
  const number = (hex) => (BigInt(hex) === 0n ? '0x' : ethers.toBeHex(hex))
  const header = [
    block.parentHash, block.sha3Uncles, block.miner, block.stateRoot, block.transactionsRoot, block.receiptsRoot,
    block.logsBloom, number(block.difficulty), number(block.number), number(block.gasLimit), number(block.gasUsed),
    number(block.timestamp), block.extraData, block.mixHash, block.nonce, number(block.baseFeePerGas),
    block.withdrawalsRoot, number(block.blobGasUsed), number(block.excessBlobGas), block.parentBeaconBlockRoot,
    block.requestsHash,
  ]
  assert.equal(ethers.keccak256(ethers.encodeRlp(header)), block.hash)
})

test('transactions are found by hash and by place, whole and raw', async () => {
  const { transactionHash: hash, blockHash, blockNumber } = deployed
  const tx = await node.rpc('eth_getTransactionByHash', hash)
  assert.deepEqual(await node.rpc('eth_getTransactionByBlockHashAndIndex', blockHash, '0x0'), tx)
  assert.deepEqual(await node.rpc('eth_getTransactionByBlockNumberAndIndex', blockNumber, '0x0'), tx)
  assert.equal(await node.rpc('eth_getBlockTransactionCountByNumber', blockNumber), '0x1')
  assert.equal(await node.rpc('eth_getBlockTransactionCountByHash', blockHash), '0x1')
  assert.equal(await node.rpc('eth_getUncleCountByBlockNumber', blockNumber), '0x0')
  const raw = await node.rpc('eth_getRawTransactionByHash', hash)
  assert.equal(ethers.keccak256(raw), hash)
  assert.equal(ethers.Transaction.from(raw).from, alice)
  const receipts = await node.rpc('eth_getBlockReceipts', blockNumber)
  assert.deepEqual(receipts, [await node.rpc('eth_getTransactionReceipt', hash)])
})

test('small questions about chain and client', async () => {
  assert.match(await node.rpc('web3_clientVersion'), /\//)
  assert.equal(await node.rpc('web3_sha3', '0x68656c6c6f'), ethers.id('hello'))
  assert.equal(await node.rpc('net_listening'), true)
  if (!isAnvil) assert.equal(await node.rpc('net_peerCount'), '0x0')
  assert.equal(await node.rpc('eth_syncing'), false)
  const accounts = await node.rpc('eth_accounts')
  assert.equal(accounts.length, 10)
  assert.equal(ethers.getAddress(accounts[0]), alice)
  assert.ok(BigInt(await node.rpc('eth_gasPrice')) > 0n)
  assert.ok(BigInt(await node.rpc('eth_maxPriorityFeePerGas')) >= 0n)
  assert.equal(await node.rpc('eth_blobBaseFee'), '0x1')
})

// --- calls -------------------------------------------------------------------------------------------

test('every way to fail has code 3 and its data, in calls and estimates', async () => {
  const point = { x: 5n, y: -6n, tags: [ethers.id('a')] }
  const text = (message) => ethers.concat(['0x08c379a0', ethers.AbiCoder.defaultAbiCoder().encode(['string'], [message])])
  const panic = (code) => ethers.concat(['0x4e487b71', ethers.toBeHex(code, 32)])
  const cases = [
    ['failBare', [], iface.encodeErrorResult('Bare', []), /^execution reverted/],
    ['failRich', ['text', point], iface.encodeErrorResult('Rich', [bob, 'text', point]), /^execution reverted/],
    ['failText', ['too bad'], text('too bad'), /^execution reverted: too bad$/],
    ['failInner', ['too bad'], text('too bad'), /^execution reverted: too bad$/],
    ['failSilently', [], '0x', /^execution reverted$/],
    ['failAssert', [], panic(0x01), /^execution reverted/],
    ['failOverflow', [2n ** 256n - 1n, 1n], panic(0x11), /^execution reverted/],
    ['failDivision', [1n, 0n], panic(0x12), /^execution reverted/],
    ['failIndex', [3n], panic(0x32), /^execution reverted/],
  ]
  for (const [name, args, data, message] of cases) {
    for (const method of ['eth_call', 'eth_estimateGas']) {
      const { error } = await request(node.url, method, [{ from: bob, to: trials, data: encode(name, ...args) }])
      assert.equal(error?.code, 3, `${method} ${name}`)
      assert.equal(error.data, data, name)
      if (!isAnvil) assert.match(error.message, message)
    }
  }
})

test('a fault that is no revert has another code, and no data', async () => {
  for (const name of ['failInvalid', 'burnAll']) {
    const { error } = await call(name, [], { gas: '0x100000' })
    assert.ok(error, name)
    assert.notEqual(error.code, 3)
    if (!isAnvil) assert.match(error.message, name === 'burnAll' ? /out of gas/ : /invalid opcode/)
  }
})

test('a caught failure is none', async () => {
  assert.deepEqual([...(await result('catchInner', ['inner']))], ['inner'])
})

test('the surroundings of a call', async () => {
  const world = await result('world')
  const latest = await node.rpc('eth_getBlockByNumber', 'latest', false)
  if (!isAnvil) assert.equal(world.number, BigInt(latest.number))
  assert.equal(world.chainId, 31337n)
  assert.equal(world.gasLimit, BigInt(latest.gasLimit))
  const funds = await result('funds', [], { from: bob })
  assert.equal(funds.sender, bob)
  assert.equal(funds.price, 0n)
})

test('state overrides: balance, code, slots, nonce', async () => {
  const stranger = '0x00000000000000000000000000000000000face1'
  const funds = await result('funds', [], { from: stranger }, 'latest', { [stranger]: { balance: '0x1234' } })
  assert.equal(funds.balance, 0x1234n)

  const slot = ethers.keccak256(ethers.AbiCoder.defaultAbiCoder().encode(['uint256', 'uint256'], [7n, 0n]))
  const word = ethers.toBeHex(42n, 32)
  const diff = await result('slots', [7n], {}, 'latest', { [trials]: { stateDiff: { [slot]: word } } })
  assert.equal(diff[0], 42n)
  assert.equal((await result('slots', [7n]))[0], 0n)

  const moved = await result('slots', [7n], { to: stranger }, 'latest', {
    [stranger]: { code: contracts.Trials.deployedBytecode, state: { [slot]: word } },
  })
  assert.equal(moved[0], 42n)

  const both = await request(node.url, 'eth_call', [
    { to: trials, data: encode('counter') }, 'latest', { [trials]: { state: {}, stateDiff: { [slot]: word } } },
  ])
  if (!isAnvil) assert.ok(both.error, 'state and stateDiff together were taken')
})

test('block overrides: number, time, coinbase, base fee, gas limit', async () => {
  const coinbase = '0x00000000000000000000000000000000000face2'
  const overrides = { number: '0x1000', time: '0x77777777', gasLimit: '0x5000000' }
  const names = isAnvil ? { coinbase, baseFee: '0x64' } : { feeRecipient: coinbase, baseFeePerGas: '0x64' }
  const world = await result('world', [], {}, 'latest', {}, { ...overrides, ...names })
  assert.equal(world.number, 0x1000n)
  assert.equal(world.time, 0x77777777n)
  assert.equal(world.gasLimit, 0x5000000n)
  if (!isAnvil) assert.equal(ethers.getAddress(world.coinbase), ethers.getAddress(coinbase))
})

test('an estimate is tight: enough as it is, too little when one less', async () => {
  const tx = { from: alice, to: trials, data: encode('set', 9n, 9n) }
  const gas = BigInt(await node.rpc('eth_estimateGas', tx))
  assert.ok((await request(node.url, 'eth_call', [{ ...tx, gas: ethers.toQuantity(gas) }])).result)
  const plain = await node.rpc('eth_estimateGas', { from: alice, to: addresses[3], value: '0x1' })
  assert.equal(plain, '0x5208')
  const { error } = await request(node.url, 'eth_estimateGas', [{ ...tx, gas: '0x5300' }])
  assert.ok(error)
  if (!isAnvil) assert.match(error.message, /gas required exceeds allowance \(21248\)/)
  const poor = await request(node.url, 'eth_estimateGas', [{ from: trials, to: alice, value: '0x1' }])
  if (!isAnvil) assert.match(poor.error.message, /insufficient funds/)
})

test('an access list names what the call touches, and its gas', async () => {
  const tx = { from: alice, to: trials, data: encode('set', 3n, 4n) }
  const { accessList, gasUsed } = await node.rpc('eth_createAccessList', tx)
  assert.equal(accessList.length, 1)
  assert.equal(accessList[0].address, trials)
  const slot = ethers.keccak256(ethers.AbiCoder.defaultAbiCoder().encode(['uint256', 'uint256'], [3n, 0n]))
  assert.deepEqual(accessList[0].storageKeys, [slot])
  assert.ok(BigInt(gasUsed) > 21000n)
})

test('fee history', async () => {
  const history = await node.rpc('eth_feeHistory', '0x3', 'latest', [25, 75])
  const latest = await node.rpc('eth_getBlockByNumber', 'latest', false)
  assert.equal(BigInt(history.oldestBlock), BigInt(latest.number) - 2n)
  assert.deepEqual(
    [history.baseFeePerGas.length, history.gasUsedRatio.length, history.reward.length, history.reward[0].length],
    [4, 3, 3, 2],
  )
  assert.equal(history.baseFeePerGas[2], latest.baseFeePerGas)
  assert.equal(history.gasUsedRatio[2], Number(latest.gasUsed) / Number(latest.gasLimit))
})

// --- logs and filters ----------------------------------------------------------------------------------

const plainTopic = iface.getEvent('Plain').topicHash
const indexedTopic = iface.getEvent('Indexed').topicHash

test('logs are picked by address, topics, blocks', async () => {
  const from = { fromBlock: '0x0', toBlock: 'latest' }
  const count = async (filter) => (await node.rpc('eth_getLogs', { ...from, ...filter })).length
  assert.equal(await count({}), 23)
  assert.equal(await count({ address: trials }), 23)
  assert.equal(await count({ address: [bob, trials] }), 23)
  assert.equal(await count({ address: bob }), 0)
  assert.equal(await count({ topics: [plainTopic] }), 21)
  assert.equal(await count({ topics: [[plainTopic, indexedTopic]] }), 22)
  assert.equal(await count({ topics: [indexedTopic, ethers.zeroPadValue(alice, 32), null] }), 1)
  assert.equal(await count({ topics: [null, null, ethers.keccak256('0x1234')] }), 1)
  assert.equal(await count({ topics: [indexedTopic, ethers.zeroPadValue(bob, 32)] }), 0)
  if (!isAnvil) assert.equal(await count({ topics: [[], null] }), 1)
  const { blockHash } = deployed
  assert.deepEqual(await node.rpc('eth_getLogs', { blockHash }), [])
})

test('a log says where it stands', async () => {
  const [, log] = await node.rpc('eth_getLogs', { fromBlock: '0x2', toBlock: '0x2' })
  const block = await node.rpc('eth_getBlockByNumber', '0x2', false)
  assert.equal(log.blockHash, block.hash)
  assert.equal(log.blockTimestamp, block.timestamp)
  assert.equal(log.transactionHash, block.transactions[0])
  assert.deepEqual([log.logIndex, log.transactionIndex, log.removed], ['0x1', '0x0', false])
  const parsed = iface.parseLog(log)
  assert.deepEqual([parsed.args.who, parsed.args.data], [alice, '0x1234'])
})

test('wrong ranges and unknown blocks are refused with words', async () => {
  const unknown = await request(node.url, 'eth_getLogs', [{ blockHash: '0x' + '13'.repeat(32) }])
  if (!isAnvil) assert.ok(unknown.error, 'an unknown block hash')
  const inverted = await request(node.url, 'eth_getLogs', [{ fromBlock: '0x3', toBlock: '0x1' }])
  if (!isAnvil) assert.match(inverted.error.message, /invalid block range/)
  const mixed = await request(node.url, 'eth_getLogs', [{ fromBlock: '0x0', blockHash: deployed.blockHash }])
  assert.ok(mixed.error)
})

test('filters: logs, blocks, pending transactions', async () => {
  const logs = await node.rpc('eth_newFilter', { address: trials, topics: [plainTopic] })
  const blocks = await node.rpc('eth_newBlockFilter')
  const pending = await node.rpc('eth_newPendingTransactionFilter')
  const receipt = await sendFrom(node, alice, trials, encode('logMany', 2n))
  assert.equal((await node.rpc('eth_getFilterChanges', logs)).length, 2)
  assert.equal((await node.rpc('eth_getFilterChanges', logs)).length, 0)
  assert.deepEqual(await node.rpc('eth_getFilterChanges', blocks), [receipt.blockHash])
  assert.deepEqual(await node.rpc('eth_getFilterChanges', pending), [receipt.transactionHash])
  const all = await node.rpc('eth_getFilterLogs', logs)
  if (!isAnvil) assert.equal(all.length, 2)
  for (const id of [logs, blocks, pending]) assert.equal(await node.rpc('eth_uninstallFilter', id), true)
  assert.equal(await node.rpc('eth_uninstallFilter', logs), false)
  const { error } = await request(node.url, 'eth_getFilterChanges', [logs])
  if (!isAnvil) assert.match(error.message, /filter not found/)
})

// With calldata it sets slot 0; without, it fails while that is not set.
test('estimates and access lists on pending see what waits', { skip: isAnvil }, async () => {
  const code = '36600f57600054601557' + '60006000fd' + '5b6001600055' + '5b00'
  const { contractAddress } = await sendFrom(node, alice, undefined, `0x60${(code.length / 2).toString(16)}8060095f395ff3${code}`)
  const check = { from: bob, to: contractAddress, data: '0x' }
  await node.rpc('evm_setAutomine', false)
  try {
    await node.rpc('eth_sendTransaction', { from: alice, to: contractAddress, data: '0x01', gas: '0x186a0' })
    assert.match((await request(node.url, 'eth_estimateGas', [check, 'latest'])).error.message, /reverted/)
    const estimate = BigInt(await node.rpc('eth_estimateGas', check, 'pending'))
    assert.ok(estimate > 21000n && estimate < 24000n, `${estimate}`)
    const { accessList, error } = await node.rpc('eth_createAccessList', check, 'pending')
    assert.equal(error, undefined)
    assert.deepEqual(accessList[0].storageKeys, ['0x' + '00'.repeat(32)])
  } finally {
    await node.rpc('evm_mine')
    await node.rpc('evm_setAutomine', true)
  }
})
