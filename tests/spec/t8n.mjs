// Runs go-ethereum's t8n cases (cmd/evm/testdata of archive d) with ashlar-evm and compares outputs, exit codes and traces.
//   node tests/spec/t8n.mjs ASHLAR_EVM TESTDATA
// The cases and their flags are those of go-ethereum's cmd/evm/t8n_test.go.
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { isDeepStrictEqual } from 'node:util'

const [program, testdata] = process.argv.slice(2)
if (!program || !testdata) {
  console.error('usage: node tests/spec/t8n.mjs ASHLAR_EVM TESTDATA')
  process.exit(2)
}

// folder, fork, what is expected: a file, or an exit code; and what differs from the usual names.
const cases = [
  ['1', 'Byzantium', 'exp.json'],
  ['3', 'Berlin', 'exp.json'],
  ['4', 'Berlin', 4],
  ['5', 'Byzantium', 'exp.json', { reward: '0x80' }],
  ['13', 'London', 'exp.json'],
  ['13', 'London', 'exp2.json', { txs: 'signed_txs.rlp' }],
  ['14', 'London', 'exp.json'],
  ['14', 'London', 'exp2.json', { env: 'env.uncles.json' }],
  ['14', 'Berlin', 'exp_berlin.json', { env: 'env.uncles.json' }],
  ['19', 'London', 'exp_london.json'],
  ['19', 'ArrowGlacier', 'exp_arrowglacier.json'],
  ['19', 'GrayGlacier', 'exp_grayglacier.json'],
  ['23', 'Berlin', 'exp.json'],
  ['24', 'Paris', 'exp.json'],
  ['24', 'Paris', 3, { env: 'env-missingrandom.json' }],
  ['25', 'Paris', 'exp.json'],
  ['26', 'Shanghai', 'exp.json'],
  ['28', 'Cancun', 'exp.json', { txs: 'txs.rlp' }],
  ['29', 'Cancun', 'exp.json'],
  ['30', 'Cancun', 'exp.json', { txs: 'txs_more.rlp' }],
  ['33', 'Prague', 'exp.json'],
  ['34', 'Osaka', 'exp.json'],
  ['1', 'Frontier+1346', 3],
  ['31', 'Cancun', 'traces', { flags: ['--trace'] }],
  ['32', 'Paris', 'traces', { flags: ['--trace', '--trace.callframes'] }],
]

function compareTraces(folder, made) {
  const names = fs.readdirSync(folder).filter((name) => name.startsWith('trace-') && name.endsWith('.jsonl'))
  for (const name of names) {
    const lines = (where) => fs.readFileSync(path.join(where, name), 'utf8').trim().split('\n').map((line) => JSON.parse(line))
    const [got, want] = [lines(made), lines(folder)]
    const at = want.findIndex((line, i) => !isDeepStrictEqual(got[i], line))
    if (at >= 0) return `${name}, line ${at + 1}: ${JSON.stringify(got[at])}, not ${JSON.stringify(want[at])}`
    if (got.length !== want.length) return `${name}: ${got.length} lines, not ${want.length}`
  }
  return names.length > 0 ? null : 'there are no traces to compare with'
}

function compareOutput(text, file) {
  const [got, want] = [JSON.parse(text), JSON.parse(fs.readFileSync(file, 'utf8'))]
  const wrong = Object.keys(want).find((key) => !isDeepStrictEqual(got[key], want[key]))
  if (!wrong) return null
  const inner = Object.keys(want[wrong]).find((key) => !isDeepStrictEqual(got[wrong]?.[key], want[wrong][key]))
  return `${wrong}.${inner} is ${JSON.stringify(got[wrong]?.[inner])}, not ${JSON.stringify(want[wrong][inner])}`
}

function runCase([name, fork, expected, { txs = 'txs.json', env = 'env.json', reward = '0', flags = [] } = {}]) {
  const folder = path.join(testdata, name)
  const made = fs.mkdtempSync(path.join(os.tmpdir(), 't8n-'))
  const input = ['alloc.json', txs, env].map((file, i) => `--input.${['alloc', 'txs', 'env'][i]}=${path.join(folder, file)}`)
  const output = ['alloc', 'result', 'body'].map((part) => `--output.${part}=stdout`)
  const argv = ['t8n', ...input, ...output, '--state.fork', fork, '--state.reward', reward, '--output.basedir', made, ...flags]
  const { status, stdout, stderr } = spawnSync(program, argv, { encoding: 'utf8', maxBuffer: 1 << 28 })
  try {
    if (typeof expected === 'number') return status === expected ? null : `exit code ${status}, not ${expected}: ${stderr}`
    if (status !== 0) return `exit code ${status}: ${stderr.trim()}`
    return expected === 'traces' ? compareTraces(folder, made) : compareOutput(stdout, path.join(folder, expected))
  } catch (error) {
    return error.message
  } finally {
    fs.rmSync(made, { recursive: true })
  }
}

let passed = 0
let failed = 0
for (const entry of cases) {
  if (!fs.existsSync(path.join(testdata, entry[0]))) continue
  const problem = runCase(entry)
  if (problem) console.log(`FAIL t8n ${entry[0]} ${entry[1]} ${entry[2]}: ${problem}`)
  problem ? failed++ : passed++
}
console.log(`${passed} passed, ${failed} failed`)
process.exit(failed > 0 ? 1 : 0)
