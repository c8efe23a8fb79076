// Runs random blocks through ashlar-evm's t8n and geth's, and compares all that they say.
//   node tests/differential/run.mjs [--blocks N] [--seed FIRST] [--fork NAME] [--jobs N] [--geth PATH]
//       [--engine plain|fast|auto] [--keep-going]
// geth's tool comes by: go install github.com/ethereum/go-ethereum/cmd/evm@v1.17.10
// A difference is made small and written to build/differential/SEED/, with both answers; the exit status is then 1.
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { isDeepStrictEqual, parseArgs } from 'node:util'
import { makeBlock } from './block.mjs'
import { minimise } from './minimise.mjs'

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..')
const { values: options } = parseArgs({
  options: {
    blocks: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
    fork: { type: 'string' },
    jobs: { type: 'string', default: `${os.availableParallelism()}` },
    geth: { type: 'string', default: process.env.GETH_EVM ?? 'evm' },
    engine: { type: 'string', default: 'auto' },
    'keep-going': { type: 'boolean', default: false },
  },
})
const ashlar = path.join(process.env.ASHLAR_BIN ?? path.join(root, 'build', 'bin'), 'ashlar-evm')
const programs = { ours: [ashlar, '--engine', options.engine], geth: [options.geth] }
const patienceMs = 60_000

// The answer of one t8n: { status, result, alloc, said }.
function transition([program, ...own], block) {
  const argv = ['t8n', '--state.fork', block.fork, '--state.reward', `${block.reward}`, '--state.chainid', `${block.chainId}`]
  for (const input of ['alloc', 'env', 'txs']) argv.push(`--input.${input}`, 'stdin')
  argv.push('--output.result', 'stdout', '--output.alloc', 'stdout', '--output.body', '')
  argv.splice(1, 0, ...own)
  return new Promise((resolve, reject) => {
    const child = spawn(program, argv, { stdio: 'pipe', timeout: patienceMs })
    const out = []
    const err = []
    child.stdout.on('data', (chunk) => out.push(chunk))
    child.stderr.on('data', (chunk) => err.push(chunk))
    child.stdin.on('error', () => {})
    child.on('error', reject)
    child.on('close', (status, signal) => {
      const said = Buffer.concat(err).toString()
      try {
        const answer = status === 0 ? JSON.parse(Buffer.concat(out)) : {}
        resolve({ status: status ?? signal, said, ...answer })
      } catch (error) {
        resolve({ status: `unreadable answer: ${error.message}`, said })
      }
    })
    child.stdin.end(JSON.stringify({ alloc: block.alloc, env: block.env, txs: block.txs }))
  })
}

// --- comparing -----------------------------------------------------------------------------------------

// The kind of a refusal: its sentence up to the details, without figures.
const kindOf = (error) => error.split(/[:(]|0x/)[0].replace(/ *\d+/g, '').trim()
const isWord = (text) => typeof text === 'string' && /^0x[0-9a-f]*$/i.test(text)

// Numbers, hashes and addresses in one spelling; what says nothing is left out.
function plain(value) {
  if (Array.isArray(value)) return value.map(plain)
  if (value === null || typeof value !== 'object') return isWord(value) ? value.toLowerCase() : value
  const entries = Object.entries(value).map(([key, inner]) => [isWord(key) ? key.toLowerCase() : key, plain(inner)])
  return Object.fromEntries(entries.filter(([, inner]) => inner !== undefined && inner !== null).sort(([a], [b]) => (a < b ? -1 : 1)))
}

function plainAlloc(alloc) {
  const accounts = Object.entries(alloc ?? {}).map(([address, { balance, nonce, code, storage }]) => [
    address.toLowerCase(),
    { balance: BigInt(balance ?? 0), nonce: BigInt(nonce ?? 0), code: (code ?? '0x').toLowerCase(), storage: plain(storage ?? {}) },
  ])
  return Object.fromEntries(accounts.sort(([a], [b]) => (a < b ? -1 : 1)))
}

// EIP-658: earlier receipts hold a state root. geth reports a status beside it, by rules of its own.
function plainReceipt(receipt) {
  const { status, ...rest } = plain(receipt)
  return rest.root && rest.root !== '0x' ? rest : { status, ...rest }
}

function plainResult(result) {
  const { rejected, receipts, ...rest } = result ?? {}
  return { ...plain(rest), receipts: (receipts ?? []).map(plainReceipt), rejected: (rejected ?? []).map(({ index, error }) => ({ index, kind: kindOf(error) })) }
}

// The names of everything in which two plain values differ.
function differences(a, b, name, found = []) {
  if (isDeepStrictEqual(a, b)) return found
  const nested = (x) => x !== null && typeof x === 'object'
  if (!nested(a) || !nested(b)) {
    const text = (x) => (typeof x === 'bigint' ? `${x}` : JSON.stringify(x) ?? 'nothing').slice(0, 200)
    found.push(`${name}: ours ${text(a)}, geth ${text(b)}`)
    return found
  }
  for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) differences(a[key], b[key], `${name}.${key}`, found)
  return found
}

async function compare(block) {
  const [ours, geth] = await Promise.all([transition(programs.ours, block), transition(programs.geth, block)])
  if (ours.status !== 0 && geth.status !== 0) return { found: [], ours, geth }
  const found = ours.status === geth.status ? [] : [`exit: ours ${ours.status}, geth ${geth.status}`]
  if (found.length === 0) {
    differences(plainResult(ours.result), plainResult(geth.result), 'result', found)
    differences(plainAlloc(ours.alloc), plainAlloc(geth.alloc), 'alloc', found)
  }
  return { found, ours, geth }
}

// --- driving -------------------------------------------------------------------------------------------

async function keep(block, reason) {
  const what = (found) => found.map((line) => line.split(/[.:]/)[1]).sort()[0]
  const small = await minimise(block, async (candidate) => {
    const { found } = await compare(candidate)
    return found.length > 0 && what(found) === what(reason)
  })
  const { found, ours, geth } = await compare(small)
  const folder = path.join(root, 'build', 'differential', `${block.seed}`)
  fs.mkdirSync(folder, { recursive: true })
  const write = (name, value) => fs.writeFileSync(path.join(folder, name), JSON.stringify(value, null, 1) + '\n')
  const { alloc, env, txs, ...flags } = small
  Object.entries({ alloc, env, txs, flags, found }).forEach(([name, value]) => write(`${name}.json`, value))
  write('ours.json', ours)
  write('geth.json', geth)
  return folder
}

const totals = { blocks: 0, txs: 0, included: 0, rejected: 0, differing: 0 }
const last = Number(options.seed) + Number(options.blocks)
let next = Number(options.seed)

async function worker() {
  while (next < last && (totals.differing === 0 || options['keep-going'])) {
    const block = makeBlock(next++, { fork: options.fork })
    const { found, geth } = await compare(block)
    totals.blocks++
    totals.txs += block.txs.length
    totals.included += geth.result?.receipts.length ?? 0
    totals.rejected += geth.result?.rejected?.length ?? 0
    if (totals.blocks % 500 === 0) console.error(`${totals.blocks} blocks, ${totals.differing} differ`)
    if (found.length === 0) continue
    totals.differing++
    console.log(`seed ${block.seed} (${block.fork}): ${found.slice(0, 3).join('; ')}`)
    console.log(`  made small in ${path.relative(root, await keep(block, found))}`)
  }
}

await Promise.all(Array.from({ length: Number(options.jobs) }, worker))
const { blocks, txs, included, rejected, differing } = totals
console.log(`${blocks} blocks, ${txs} transactions (${included} included, ${rejected} refused): ${differing} blocks differ`)
process.exit(differing > 0 ? 1 : 0)
