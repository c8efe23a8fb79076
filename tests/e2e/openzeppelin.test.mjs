// OpenZeppelin's ERC-20, ERC-721 and proxies deploy and run.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { ethers } from 'ethers'
import { contracts, keys, startNode } from './node.mjs'

let node, provider, alice, bob

before(async () => {
  node = await startNode()
  provider = new ethers.JsonRpcProvider(node.url, undefined, { pollingInterval: 20, cacheTimeout: -1 })
  ;[alice, bob] = keys.map((key) => new ethers.NonceManager(new ethers.Wallet(key, provider)))
  alice.address = await alice.getAddress()
  bob.address = await bob.getAddress()
})
after(async () => {
  provider?.destroy()
  await node?.stop()
})

async function deploy(name, ...args) {
  const { abi, bytecode } = contracts[name]
  return (await new ethers.ContractFactory(abi, bytecode, alice).deploy(...args)).waitForDeployment()
}
const done = async (sent) => (await sent).wait()
const at = (name, address, signer) => new ethers.Contract(address, contracts[name].abi, signer)

async function rejectsWith(promise, contract, error, ...args) {
  const thrown = await promise.then(() => assert.fail('the call passed'), (e) => e)
  const decoded = thrown.revert ?? contract.interface.parseError(thrown.data)
  assert.equal(decoded?.name, error, thrown.message)
  assert.deepEqual([...decoded.args], args)
}

test('ERC-20: transfer, allowance, permit', async () => {
  const supply = ethers.parseEther('1000')
  const token = await deploy('Token20', supply)
  const address = await token.getAddress()
  assert.equal(await token.symbol(), 'ASH')
  const receipt = await done(token.transfer(bob.address, 500n))
  const [transfer] = receipt.logs.map((log) => token.interface.parseLog(log))
  assert.deepEqual([...transfer.args], [alice.address, bob.address, 500n])
  assert.equal(await token.balanceOf(alice.address), supply - 500n)

  const asBob = token.connect(bob)
  await rejectsWith(
    asBob.transferFrom.staticCall(alice.address, bob.address, 1n), token, 'ERC20InsufficientAllowance', bob.address, 0n, 1n,
  )
  await rejectsWith(
    asBob.transfer.staticCall(alice.address, 501n), token, 'ERC20InsufficientBalance', bob.address, 500n, 501n,
  )

  const domain = { name: 'Ashlar Token', version: '1', chainId: 31337, verifyingContract: address }
  const fields = ['address owner', 'address spender', 'uint256 value', 'uint256 nonce', 'uint256 deadline']
  const types = { Permit: fields.map((field) => ({ type: field.split(' ')[0], name: field.split(' ')[1] })) }
  const permit = { owner: alice.address, spender: bob.address, value: 70n, nonce: 0n, deadline: 2n ** 48n }
  const { v, r, s } = ethers.Signature.from(await alice.signTypedData(domain, types, permit))
  await done(asBob.permit(permit.owner, permit.spender, permit.value, permit.deadline, v, r, s))
  await done(asBob.transferFrom(alice.address, bob.address, 70n))
  assert.equal(await token.balanceOf(bob.address), 570n)
  assert.equal(await token.nonces(alice.address), 1n)
})

test('ERC-721: mint, enumerate, transfer, refuse', async () => {
  const deed = await deploy('Token721')
  for (const to of [alice, bob, alice]) await done(deed.mint(to.address))
  assert.equal(await deed.totalSupply(), 3n)
  assert.equal(await deed.ownerOf(2n), bob.address)
  assert.equal(await deed.tokenOfOwnerByIndex(alice.address, 1n), 3n)
  await done(deed['safeTransferFrom(address,address,uint256)'](alice.address, bob.address, 1n))
  assert.equal(await deed.balanceOf(bob.address), 2n)
  await rejectsWith(deed.ownerOf(9n), deed, 'ERC721NonexistentToken', 9n)
  await rejectsWith(
    deed.transferFrom.staticCall(bob.address, alice.address, 1n), deed, 'ERC721InsufficientApproval', alice.address, 1n,
  )
  await rejectsWith(
    deed.mint.staticCall(await deed.getAddress()), deed, 'ERC721InvalidReceiver', await deed.getAddress(),
  )
})

test('UUPS proxy: initialise, run, upgrade, keep the storage', async () => {
  const first = await deploy('LedgerV1')
  const initialise = first.interface.encodeFunctionData('initialize', [alice.address])
  const proxy = await deploy('ERC1967Proxy', await first.getAddress(), initialise)
  const address = await proxy.getAddress()
  const ledger = at('LedgerV1', address, alice)
  await done(ledger.add(5n))
  assert.equal(await ledger.total(), 5n)
  await rejectsWith(ledger.initialize.staticCall(bob.address), ledger, 'InvalidInitialization')

  const second = await (await deploy('LedgerV2')).getAddress()
  await rejectsWith(
    ledger.connect(bob).upgradeToAndCall.staticCall(second, '0x'), ledger, 'OwnableUnauthorizedAccount', bob.address,
  )
  await done(ledger.upgradeToAndCall(second, '0x'))
  assert.equal(await ledger.version(), 2n)
  await done(ledger.add(5n))
  assert.equal(await ledger.total(), 15n)

  // ERC-1967: the slot keccak256('eip1967.proxy.implementation') - 1 names the implementation.
  const slot = ethers.toBeHex(BigInt(ethers.id('eip1967.proxy.implementation')) - 1n, 32)
  assert.equal(ethers.getAddress(ethers.dataSlice(await provider.getStorage(address, slot), 12)), second)
})

test('transparent proxy: its admin upgrades, everybody else runs', async () => {
  const first = await deploy('LedgerV1')
  const initialise = first.interface.encodeFunctionData('initialize', [bob.address])
  const proxy = await deploy('TransparentUpgradeableProxy', await first.getAddress(), alice.address, initialise)
  const address = await proxy.getAddress()
  const adminSlot = ethers.toBeHex(BigInt(ethers.id('eip1967.proxy.admin')) - 1n, 32)
  const adminAddress = ethers.getAddress(ethers.dataSlice(await provider.getStorage(address, adminSlot), 12))
  assert.equal(adminAddress, ethers.getCreateAddress({ from: address, nonce: 1 }))

  const ledger = at('LedgerV1', address, bob)
  await done(ledger.add(7n))
  const second = await (await deploy('LedgerV2')).getAddress()
  await done(at('ProxyAdmin', adminAddress, alice).upgradeAndCall(address, second, '0x'))
  await done(ledger.add(7n))
  assert.equal(await ledger.total(), 21n)
  assert.equal(await ledger.version(), 2n)
})
