// Runs random blocks through ashlar-evm's t8n and geth's with --trace, and compares the EIP-3155 lines of every transaction.
//   node tests/differential/traces.mjs [--blocks N] [--seed FIRST] [--geth PATH]
// geth's tool comes by: go install github.com/ethereum/go-ethereum/cmd/evm@v1.17.10
// A kind of difference is told once, with the number of transactions that show it first; the exit status is then 1.
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { isDeepStrictEqual, parseArgs } from 'node:util'
import { makeBlock } from './block.mjs'

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..')
const { values: options } = parseArgs({
  options: {
    blocks: { type: 'string', default: '250' },
    seed: { type: 'string', default: '1' },
    geth: { type: 'string', default: process.env.GETH_EVM ?? 'evm' },
  },
})
const ashlar = path.join(process.env.ASHLAR_BIN ?? path.join(root, 'build', 'bin'), 'ashlar-evm')
const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'ashlar-traces-'))

// { transaction's number: lines } of one t8n.
function traces(program, block) {
  const folder = fs.mkdtempSync(path.join(scratch, 't8n-'))
  const argv = ['t8n', '--state.fork', block.fork, '--state.reward', `${block.reward}`, '--state.chainid', `${block.chainId}`]
  argv.push('--trace', '--trace.returndata', '--output.basedir', folder, '--output.body', '')
  for (const input of ['alloc', 'env', 'txs']) argv.push(`--input.${input}`, 'stdin')
  const { alloc, env, txs } = block
  const done = spawnSync(program, argv, { input: JSON.stringify({ alloc, env, txs }), timeout: 60_000, maxBuffer: 1 << 28 })
  if (done.status !== 0) throw new Error(`${program} ended with ${done.status ?? done.signal ?? done.error?.message} on seed ${block.seed}`)
  const found = {}
  for (const name of fs.readdirSync(folder)) {
    const [, index] = /^trace-(\d+)-/.exec(name) ?? []
    if (index) found[index] = fs.readFileSync(path.join(folder, name), 'utf8').trimEnd().split('\n')
  }
  fs.rmSync(folder, { recursive: true })
  return found
}

// The members that differ first, as { kind, text }; undefined when none does.
function firstDifference(ours = [], geth = []) {
  for (let i = 0; i < Math.max(ours.length, geth.length); i++) {
    if (ours[i] === geth[i]) continue
    const [a, b] = [JSON.parse(ours[i] ?? '{}'), JSON.parse(geth[i] ?? '{}')]
    const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((key) => !isDeepStrictEqual(a[key], b[key]))
    if (keys.length === 0) continue
    const text = (x) => JSON.stringify(x)?.slice(-80)
    const words = keys.includes('error') ? ` (${text(a.error)}, geth ${text(b.error)})` : ''
    return { kind: `${b.opName ?? a.opName ?? 'the end'}: ${keys.join(', ')}${words}`, text: `line ${i}: ${keys.map((key) => `${key} ${text(a[key])}, geth ${text(b[key])}`).join('; ')}` }
  }
  return undefined
}

const kinds = new Map()
const totals = { txs: 0, lines: 0, differing: 0 }
try {
  for (let seed = Number(options.seed); seed < Number(options.seed) + Number(options.blocks); seed++) {
    const block = makeBlock(seed, { most: 12 })
    const [ours, geth] = [ashlar, options.geth].map((program) => traces(program, block))
    for (const index of new Set([...Object.keys(ours), ...Object.keys(geth)])) {
      totals.txs++
      totals.lines += geth[index]?.length ?? 0
      const found = firstDifference(ours[index], geth[index])
      if (!found) continue
      totals.differing++
      const seen = kinds.get(found.kind) ?? { count: 0, first: `seed ${seed} (${block.fork}), transaction ${index}, ${found.text}` }
      kinds.set(found.kind, { ...seen, count: seen.count + 1 })
    }
  }
} finally {
  fs.rmSync(scratch, { recursive: true, force: true })
}
for (const [kind, { count, first }] of [...kinds].sort(([, a], [, b]) => b.count - a.count)) console.log(`${count} x ${kind}\n    ${first}`)
console.log(`${totals.txs} transactions, ${totals.lines} lines: ${totals.differing} transactions differ`)
process.exitCode = totals.differing ? 1 : 0
