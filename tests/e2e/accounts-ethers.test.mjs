// Accounts.sol through ethers 6, unmodified.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { ethers } from 'ethers'
import * as register from './accounts.mjs'
import { addresses, isAnvil, keys, startNode } from './node.mjs'

// An update in the second of the creation writes less than one a second later, so no estimate would do.
const gasLimit = 300_000n
let node, provider, wallets, accounts, deployed

before(async () => {
  node = await startNode()
  provider = new ethers.JsonRpcProvider(node.url, undefined, { polling: true, pollingInterval: 20, cacheTimeout: -1 })
  wallets = keys.map((key) => new ethers.NonceManager(new ethers.Wallet(key, provider)))
  const factory = new ethers.ContractFactory(register.abi, register.bytecode, wallets[0])
  deployed = await factory.deploy(addresses[0], register.ownerDelay)
  accounts = await deployed.waitForDeployment()
})
after(async () => {
  provider?.destroy()
  await node?.stop()
})

test('the network is the one ethers expects', async () => {
  const network = await provider.getNetwork()
  assert.equal(network.chainId, 31337n)
  assert.equal(await provider.getBalance(addresses[2]), ethers.parseEther('10000'))
})

test('deploying gives code, an address and a receipt', async () => {
  const receipt = await deployed.deploymentTransaction().wait()
  const address = await deployed.getAddress()
  assert.equal(receipt.status, 1)
  assert.equal(receipt.contractAddress, address)
  assert.equal(address, ethers.getCreateAddress({ from: addresses[0], nonce: 0 }))
  assert.ok((await provider.getCode(address)).length > 1000)
  assert.equal(await accounts.owner(), addresses[0])
})

test('create, query, update, and the events tell of it', async () => {
  const asAlice = accounts.connect(wallets[1])
  const created = await (await asAlice.create('alice', 'ipfs://one')).wait()
  const [event] = created.logs.map((log) => accounts.interface.parseLog(log))
  assert.equal(event.name, 'AccountCreated')
  assert.deepEqual([...event.args], [1n, addresses[1], 'alice', 'ipfs://one'])

  const { timestamp } = await provider.getBlock(created.blockNumber)
  const account = await accounts.get(1n)
  assert.equal(account.holder, addresses[1])
  assert.equal(account.createdAt, BigInt(timestamp))
  assert.equal(account.status, 1n)

  await (await asAlice.update(1n, 'alice-b', 'ipfs://two', { gasLimit })).wait()
  const [id, named] = await accounts.getByName('alice-b')
  assert.equal(id, 1n)
  assert.equal(named.uri, 'ipfs://two')
  assert.equal((await accounts.getByHolder(addresses[1])).id, 1n)

  const updates = await accounts.queryFilter(accounts.filters.AccountUpdated(1n))
  assert.equal(updates.length, 1)
  assert.deepEqual([...updates[0].args], [1n, addresses[1], 'alice-b', 'ipfs://two'])
  assert.equal((await accounts.queryFilter(accounts.filters.AccountUpdated(2n))).length, 0)
})

test('pages of accounts are cut as asked', async () => {
  const snapshot = await node.rpc('evm_snapshot')
  for (let i = 0; i < 12; i++) {
    const holder = ethers.getAddress(ethers.toBeHex(0x1000 + i, 20))
    await (await accounts.createFor(holder, `user-${i}`, '')).wait()
  }
  const [first, total] = await accounts.page(0n, 5n)
  assert.equal(total, 13n)
  assert.deepEqual(first.map((a) => a.name), ['alice-b', 'user-0', 'user-1', 'user-2', 'user-3'])
  const [last] = await accounts.page(10n, 5n)
  assert.deepEqual(last.map((a) => a.name), ['user-9', 'user-10', 'user-11'])
  assert.deepEqual([...(await accounts.page(13n, 5n))[0]], [])
  await node.rpc('evm_revert', snapshot)
  wallets[0].reset()
})

test('a listener hears an event from a filter or a poll', async () => {
  const heard = new Promise((resolve) => accounts.once('AccountCreated', (id, holder, name) => resolve([id, holder, name])))
  await accounts.getAddress()
  await new Promise((resolve) => setTimeout(resolve, 60))
  await (await accounts.createFor(addresses[2], 'bob', '')).wait()
  assert.deepEqual(await heard, [2n, addresses[2], 'bob'])
})

test('handing over takes two steps', async () => {
  const [asAlice, asCarol] = [accounts.connect(wallets[1]), accounts.connect(wallets[3])]
  await (await asAlice.proposeHandover(1n, addresses[3])).wait()
  assert.equal(await accounts.successorOf(1n), addresses[3])
  const receipt = await (await asCarol.acceptHandover(1n)).wait()
  const log = accounts.interface.parseLog(receipt.logs[0])
  assert.deepEqual([log.name, ...log.args], ['AccountHandedOver', 1n, addresses[1], addresses[3]])
  await assert.rejects(accounts.getByHolder(addresses[1]), { code: 'CALL_EXCEPTION' })
})

test('ownership changes hands after the delay', async () => {
  const snapshot = await node.rpc('evm_snapshot')
  const asCarol = accounts.connect(wallets[3])
  await (await accounts.beginDefaultAdminTransfer(addresses[3])).wait()
  await node.rpc('evm_increaseTime', Number(register.ownerDelay) + 1)
  await node.rpc('evm_mine')
  await (await asCarol.acceptDefaultAdminTransfer()).wait()
  assert.equal(await accounts.owner(), addresses[3])
  await node.rpc('evm_revert', snapshot)
  wallets.forEach((wallet) => wallet.reset())
  assert.equal(await accounts.owner(), addresses[0])
})

test('the estimate is enough, and no more than the limit it needs', async () => {
  const asBob = accounts.connect(wallets[2])
  const snapshot = await node.rpc('evm_snapshot')
  const gas = await asBob.proposeHandover.estimateGas(2n, addresses[3])
  const receipt = await (await asBob.proposeHandover(2n, addresses[3], { gasLimit: gas })).wait()
  assert.equal(receipt.status, 1)
  assert.ok(receipt.gasUsed <= gas)
  assert.ok(gas < (receipt.gasUsed * 13n) / 10n)
  await node.rpc('evm_revert', snapshot)
  wallets.forEach((wallet) => wallet.reset())
})

test('a failed transaction is mined with status 0', async () => {
  const asCarol = accounts.connect(wallets[3])
  const sent = await asCarol.suspend(1n, { gasLimit: 100_000n })
  await assert.rejects(sent.wait(), { code: 'CALL_EXCEPTION' })
  const receipt = await provider.getTransactionReceipt(sent.hash)
  assert.equal(receipt.status, 0)
  assert.equal(receipt.logs.length, 0)
})

test('every custom error is met and decoded', async (t) => {
  const scene = await register.deployAccounts(node)
  const contract = new ethers.Contract(scene.address, register.abi, provider)
  const known = register.abi.filter((entry) => entry.type === 'error').map((entry) => entry.name)
  const covered = [...register.failures.map((f) => f.error), ...register.unreachable]
  assert.deepEqual([...known].sort(), covered.sort())

  for (const failure of register.failures) {
    const [name, ...args] = failure.call
    await t.test(failure.error, () =>
      register.inStateOf(failure, node, scene, async () => {
        for (const way of ['staticCall', 'estimateGas']) {
          const error = await contract[name][way](...args, { from: failure.from }).then(
            () => assert.fail('the call passed'),
            (thrown) => thrown,
          )
          assert.equal(error.code, 'CALL_EXCEPTION', error.message)
          // ethers decodes a call's error by itself and hands an estimate's on as data.
          const decoded = error.revert ?? contract.interface.parseError(error.data)
          assert.equal(decoded?.name, failure.error, error.message)
          if (failure.args) assert.deepEqual([...decoded.args], failure.args)
        }
      }),
    )
  }
})

test('after a revert to a snapshot the same calls give the same hashes', async () => {
  const run = async () => {
    await node.rpc('evm_setNextBlockTimestamp', (await provider.getBlock('latest')).timestamp + 10)
    const wallet = new ethers.Wallet(keys[0], provider)
    const tx = await accounts.connect(wallet).createFor(ethers.getAddress(ethers.toBeHex(0x99, 20)), 'replayed', '')
    const receipt = await tx.wait()
    const block = await node.rpc('eth_getBlockByNumber', ethers.toQuantity(receipt.blockNumber), false)
    // anvil's state root depends on what was read before.
    const roots = isAnvil ? [] : [block.stateRoot, block.hash]
    return [receipt.hash, receipt.blockNumber, block.timestamp, block.receiptsRoot, ...roots]
  }
  const snapshot = await node.rpc('evm_snapshot')
  const first = await run()
  assert.equal(await node.rpc('evm_revert', snapshot), true)
  await assert.rejects(accounts.getByName('replayed'))
  assert.equal(await provider.getTransactionReceipt(first[0]), null)
  assert.deepEqual(await run(), first)
})
