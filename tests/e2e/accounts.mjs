// A register with a little history, and for every custom error of its ABI one call that meets it. The three
// clients' tests share this table, each decoding the errors in its own way.
import { ethers } from 'ethers'
import { addresses, contracts, receiptOf } from './node.mjs'

export const [owner, alice, bob, carol] = addresses
export const { abi, bytecode } = contracts.Accounts
export const ownerDelay = 3600n
const iface = new ethers.Interface(abi)
const zero = ethers.ZeroAddress
export const registrarRole = ethers.id('REGISTRAR_ROLE')
export const moderatorRole = ethers.id('MODERATOR_ROLE')
const adminRole = ethers.ZeroHash

// Sends from an account that the node itself holds, and returns the receipt.
export async function sendFrom(node, from, to, data, more = {}) {
  const hash = await node.rpc('eth_sendTransaction', { from, to, data, ...more })
  const receipt = await receiptOf(node, hash)
  if (receipt.status !== '0x1') throw new Error(`transaction ${hash} failed`)
  return receipt
}

// Account 1 is alice, active; account 2 is bob, suspended; carol has none.
export async function deployAccounts(node) {
  const data = bytecode + iface.encodeDeploy([owner, ownerDelay]).slice(2)
  const { contractAddress: address } = await sendFrom(node, owner, undefined, data)
  const send = (from, name, ...args) => sendFrom(node, from, address, iface.encodeFunctionData(name, args))
  await send(alice, 'create', 'alice', 'https://example.org/alice')
  await send(owner, 'createFor', bob, 'bob', '')
  await send(owner, 'suspend', 2n)
  return { address, send }
}

// { error, args, from, call, before }: `call` made by `from` after `before` (calls by the owner) fails with
// `error(...args)`.
export const failures = [
  { error: 'AccountNotFound', args: [99n], from: carol, call: ['get', 99n] },
  { error: 'HolderUnknown', args: [carol], from: carol, call: ['getByHolder', carol] },
  { error: 'HolderInvalid', args: [zero], from: owner, call: ['createFor', zero, 'nobody', ''] },
  { error: 'HolderTaken', args: [alice, 1n], from: alice, call: ['create', 'alice-again', ''] },
  { error: 'NameUnknown', args: ['nobody'], from: carol, call: ['getByName', 'nobody'] },
  { error: 'NameTaken', args: ['alice', 1n], from: carol, call: ['create', 'alice', ''] },
  { error: 'NameLengthInvalid', args: [2n, 3n, 31n], from: carol, call: ['create', 'ab', ''] },
  { error: 'NameCharacterInvalid', args: [1n, '0x41'], from: carol, call: ['create', 'cArol', ''] },
  { error: 'UriTooLong', args: [257n, 256n], from: carol, call: ['create', 'carol', 'x'.repeat(257)] },
  { error: 'NotAllowed', args: [carol, 1n], from: carol, call: ['update', 1n, 'alice', ''] },
  { error: 'StatusInvalid', args: [2n, 2n], from: bob, call: ['update', 2n, 'bob', 'new'] },
  { error: 'NotSuccessor', args: [carol, 1n], from: carol, call: ['acceptHandover', 1n] },
  { error: 'PageLimitInvalid', args: [101n, 100n], from: carol, call: ['page', 0n, 101n] },
  { error: 'EnforcedPause', args: [], from: carol, call: ['create', 'carol', ''], before: [['pause']] },
  { error: 'ExpectedPause', args: [], from: owner, call: ['unpause'] },
  {
    error: 'AccessControlUnauthorizedAccount',
    args: [carol, moderatorRole],
    from: carol,
    call: ['suspend', 1n],
  },
  { error: 'AccessControlBadConfirmation', args: [], from: carol, call: ['renounceRole', registrarRole, owner] },
  {
    error: 'AccessControlEnforcedDefaultAdminRules',
    args: [],
    from: owner,
    call: ['grantRole', adminRole, carol],
  },
  {
    error: 'AccessControlInvalidDefaultAdmin',
    args: [carol],
    from: carol,
    call: ['acceptDefaultAdminTransfer'],
    before: [['beginDefaultAdminTransfer', bob]],
  },
  {
    error: 'AccessControlEnforcedDefaultAdminDelay',
    args: undefined, // the moment at which it may be accepted, which depends on the clock
    from: carol,
    call: ['acceptDefaultAdminTransfer'],
    before: [['beginDefaultAdminTransfer', carol]],
  },
]

// OpenZeppelin's guard for dates after the year 8.9 million.
export const unreachable = ['SafeCastOverflowedUintDowncast']

// Runs `body` on a register in the state that a failure needs, and takes everything back.
export async function inStateOf(failure, node, register, body) {
  const snapshot = await node.rpc('evm_snapshot')
  try {
    for (const [name, ...args] of failure.before ?? []) await register.send(owner, name, ...args)
    return await body()
  } finally {
    await node.rpc('evm_revert', snapshot)
  }
}
