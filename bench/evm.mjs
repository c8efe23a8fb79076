// Makes the state-test files under bench/evm/ from bench/contracts/Programs.sol and from the small programs below.
//   node bench/evm.mjs [GETH_EVM]
// They have the shape of the official benchmarks: the code of `to`, one `data` a case with a label, and the post-state
// hash. The hashes come from geth's `evm statetest`, which is needed only to make the files anew.
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { ethers } from 'ethers'
import { compile, root } from '../scripts/solc.mjs'

const folder = path.join(root, 'bench', 'evm')
const fork = 'Prague' // the first with all the precompiles measured here
// The test account and environment of the official benchmarks.
const secretKey = '0x45a915e4d060149eb4365960e6a7a45f334393093061116b197e3240065ff2d8'
const sender = '0xa94f5374fce5edbc8e2a8697c15331677e6ebf0b'
const target = '0xbe7c43a580000000000000000000000000000001'
const env = {
  currentBaseFee: '0x01', currentCoinbase: '0x2adc25665018aa1fe0e6bc666dac8fc2697ff9ba', currentDifficulty: '0x00',
  currentExcessBlobGas: '0x00', currentGasLimit: '0x3b9aca00', currentNumber: '0x01', currentTimestamp: '0x61a8d289',
  currentRandom: '0x0000000000000000000000000000000000000000000000000000000000000001',
  previousHash: '0x5e20a0453cecd065ea59c37ac63e079ee08998b6045136a8ce6635c7912ec0b6',
}

// How often run(n) repeats, chosen for some milliseconds of interpretation.
const programs = {
  TokenTransfers: [500], SwapMath: [300], Allocator: [200], Sorting: [600], Hashing: [1000], ShaRounds: [10],
  Curve: [400], FixedPoint: [200], StorageLoops: [300], NestedCalls: [200], Copies: [200], Narrow: [2000],
  Texts: [100], Matrices: [4], Pointers: [3000], Divisions: [1500], Numbers: [4000], Logs: [200],
}

const word = (value) => ethers.toBeHex(value, 32).slice(2)
const field = (hex) => hex.padStart(128, '0')

const opcodes = {
  SUB: 0x03, ISZERO: 0x15, KECCAK256: 0x20, CALLDATALOAD: 0x35, CALLDATASIZE: 0x36, CALLDATACOPY: 0x37, MSTORE: 0x52,
  JUMPI: 0x57, GAS: 0x5a, JUMPDEST: 0x5b, PUSH0: 0x5f, DUP1: 0x80, DUP2: 0x81, DUP3: 0x82, SWAP1: 0x90, RETURN: 0xf3,
  STATICCALL: 0xfa, REVERT: 0xfd,
}

// Words of assembly: opcodes, decimal numbers (PUSH1), `name:` (a JUMPDEST) and `@name` (its address).
function assemble(text) {
  const words = text.split(/\s+/).filter(Boolean)
  const places = {}
  let at = 0
  for (const w of words) {
    if (w.endsWith(':')) places[w.slice(0, -1)] = at
    at += w.startsWith('@') || /^\d/.test(w) ? 2 : 1
  }
  const push = (value) => [0x60, value]
  const code = words.flatMap((w) => {
    if (w.endsWith(':')) return [opcodes.JUMPDEST]
    if (w.startsWith('@')) return push(places[w.slice(1)])
    return /^\d/.test(w) ? push(Number(w)) : [opcodes[w]]
  })
  return ethers.hexlify(Uint8Array.from(code))
}

// calldata: how often, which address, the input. The stack holds the input's length and the count. Calls the
// precompile so often on the whole input at memory 0, takes 32 bytes out behind it and returns them.
const callLoop = assemble(`
  64 CALLDATASIZE SUB DUP1 64 PUSH0 CALLDATACOPY PUSH0 CALLDATALOAD
  loop: 32 DUP3 DUP1 PUSH0 32 CALLDATALOAD GAS STATICCALL ISZERO @failed JUMPI
  1 SWAP1 SUB DUP1 @loop JUMPI 32 DUP3 RETURN
  failed: PUSH0 PUSH0 REVERT`)

// calldata: how often, how many bytes. Hashes memory and writes the digest back to its start.
const hashLoop = assemble(`
  32 CALLDATALOAD PUSH0 CALLDATALOAD
  loop: DUP2 PUSH0 KECCAK256 PUSH0 MSTORE 1 SWAP1 SUB DUP1 @loop JUMPI 32 PUSH0 RETURN`)

const g1 = word(1) + word(2)
const bn254Prime = 0x30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47n
const g1Negative = word(1) + word(bn254Prime - 2n)
// The generator of bn254's second group, imaginary parts first (EIP-197).
const g2 =
  '198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2' +
  '1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed' +
  '090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b' +
  '12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa'
// The generators of BLS12-381's groups, and its field's prime (EIP-2537).
const blsPrime = 0x1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaabn
const blsG1 = [
  '17f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb',
  '08b3f481e3aaa0f1a09e30ed741d8ae4fcf5e095d5d00af600db18cb2c04b3edd03cc744a2888ae40caa232946c5e7e1',
]
const blsG2 = [
  '024aa2b2f08f0a91260805272dc51051c6e47ad4fa403b02b4510b647ae3d1770bac0326a805bbefd48056c8c121bdb8',
  '13e02b6052719f607dacd3a088274f65596bd0d09920b61ab5da61bbdc7f5049334cf11213945d57e5ac7d055d042b7e',
  '0ce5d527727d6e118cc9cdc6da2e351aadfd9baa8cbdd3a76d429a695160d12c923ac9cc3baca289e193548608b82801',
  '0606c4a02ea734cc32acd2b02bc28b99cb3e287e85a763af267492ab572e99ab3f370d275cec1da1aaa9075ff05f79be',
]
const blsNegative = [blsG1[0], (blsPrime - BigInt('0x' + blsG1[1])).toString(16)]
const blsPair = (point) => [...point, ...blsG2].map(field).join('')

function recoverInput() {
  const digest = ethers.id('ashlar')
  const { v, r, s } = new ethers.SigningKey(secretKey).sign(digest)
  return digest.slice(2) + word(v) + r.slice(2) + s.slice(2)
}

const precompiles = [
  ['ecrecover', 20, 1, recoverInput()],
  ['sha256_128', 200, 2, 'ab'.repeat(128)],
  ['modexp_256', 5, 5, word(256) + word(3) + word(256) + 'c3'.repeat(256) + '010001' + 'f7'.repeat(256)],
  ['bn254_add', 100, 6, g1 + g1],
  ['bn254_mul', 20, 7, g1 + word(bn254Prime - 12345n)],
  ['bn254_pairing_2', 2, 8, g1 + g2 + g1Negative + g2],
  ['blake2f_12', 200, 9, '0000000c' + '48c9bdf267e6096a'.repeat(8) + '61'.repeat(128) + '03'.padStart(16, '0').repeat(2) + '01'],
  ['bls_g1add', 50, 11, [...blsG1, ...blsG1].map(field).join('')],
  ['bls_pairing_2', 2, 15, blsPair(blsG1) + blsPair(blsNegative)],
]

function stateTest(name, code, cases, storage = {}) {
  const post = cases.map((_, data) => ({ hash: ethers.ZeroHash, logs: ethers.ZeroHash, indexes: { data, gas: 0, value: 0 } }))
  const labels = Object.fromEntries(cases.map(([label], index) => [index, label]))
  const gasPrice = '0x0a'
  const transaction = {
    data: cases.map(([, data]) => data), gasLimit: ['0x3b9aca00'], gasPrice, nonce: '0x00', secretKey, sender, to: target,
    value: ['0x00'],
  }
  const pre = {
    [sender]: { balance: '0xffffffffffffffff', code: '0x', nonce: '0x00', storage: {} },
    [target]: { balance: '0x00', code, nonce: '0x01', storage },
  }
  return { [name]: { _info: { comment: 'made by bench/evm.mjs', labels }, env, post: { [fork]: post }, pre, transaction } }
}

// geth says on a mismatch which hashes it found; two passes fill in both.
function fillHashes(geth, file, test) {
  const [{ post }] = Object.values(test)
  for (let pass = 0; pass < 2; pass++) {
    fs.writeFileSync(file, JSON.stringify(test, null, 1) + '\n')
    const results = JSON.parse(execFileSync(geth, ['statetest', file], { stdio: ['ignore', 'pipe', 'ignore'] }))
    results.forEach(({ error, stateRoot }, index) => {
      const logs = /logs hash mismatch: got ([0-9a-f]{64})/.exec(error ?? '')
      if (logs) post[fork][index].logs = '0x' + logs[1]
      post[fork][index].hash = stateRoot
    })
  }
  fs.writeFileSync(file, JSON.stringify(test, null, 1) + '\n')
  const final = JSON.parse(execFileSync(geth, ['statetest', file], { stdio: ['ignore', 'pipe', 'ignore'] }))
  const bad = final.find((result) => !result.pass)
  if (bad) throw new Error(`${file}: ${bad.error}`)
}

const geth = process.argv[2] ?? 'evm'
fs.mkdirSync(folder, { recursive: true })
const make = (name, test) => fillHashes(geth, path.join(folder, `${name}.json`), test)

const compiled = compile(['bench/contracts/Programs.sol'])
for (const [name, counts] of Object.entries(programs)) {
  const { abi, deployedBytecode } = compiled[name]
  const iface = new ethers.Interface(abi)
  const lower = name.replace(/(?<=[a-z])(?=[A-Z])/g, '_').toLowerCase()
  make(lower, stateTest(lower, deployedBytecode, counts.map((n) => [`${n}`, iface.encodeFunctionData('run', [n])])))
}
make('precompiles', stateTest('precompiles', callLoop, precompiles.map(([label, n, at, input]) => [label, '0x' + word(n) + word(at) + input])))
make('keccak', stateTest('keccak', hashLoop, [32, 136, 1024].map((size) => [`${size}`, '0x' + word(1000) + word(size)])))
