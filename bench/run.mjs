// Runs the benchmarks, part after part, and ends with a table of the bars: what was wanted, what was measured.
//   bench/run [--part NAME]... [--rounds N] [--geth PATH] [--folder DIR] [-- OPTIONS OF THE PART]
// The parts are in bench/README.md, with what they take. --rounds: of every part, which otherwise has a number of its
// own. --folder: where stores are made (the system's folder for temporary files unless given): the disk that is waited for.
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { printBars } from './bars.mjs'

const here = path.dirname(fileURLToPath(import.meta.url))
// Which of the common options each takes.
const parts = {
  code: ['code.mjs', 'rounds'],
  suites: ['suites.mjs'],
  rpc: ['rpc/run.mjs', 'rounds'],
  import: ['import/run.mjs', 'rounds', 'geth', 'folder'],
  cores: ['import/cores.mjs', 'rounds', 'folder'],
  block: ['import/block.mjs', 'rounds', 'geth', 'folder'],
  state: ['state.mjs', 'folder'],
}

const { values: options, positionals } = parseArgs({
  options: {
    part: { type: 'string', multiple: true },
    rounds: { type: 'string' },
    geth: { type: 'string' },
    folder: { type: 'string' },
  },
  allowPositionals: true,
})
const wanted = options.part ?? Object.keys(parts)
const unknown = wanted.find((name) => !parts[name])
if (unknown) {
  console.error(`bench/run: there is no part ${unknown}: ${Object.keys(parts).join(', ')}`)
  process.exit(2)
}

const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'ashlar-bars-'))
const bars = path.join(scratch, 'bars')
fs.writeFileSync(bars, '')
let failed = false
for (const name of wanted) {
  const [script, ...takes] = parts[name]
  const argv = takes.filter((key) => options[key]).flatMap((key) => [`--${key}`, options[key]])
  const begin = Date.now()
  console.log(`\n=== ${name}`)
  const done = spawnSync(process.execPath, [path.join(here, script), ...argv, ...positionals], {
    stdio: 'inherit',
    env: { ...process.env, BENCH_BARS: bars },
  })
  console.log(`=== ${name}: ${Math.round((Date.now() - begin) / 1000)} s${done.status === 0 ? '' : ', FAILED'}`)
  failed ||= done.status !== 0
}
console.log('')
if (fs.statSync(bars).size > 0) printBars(bars)
fs.rmSync(scratch, { recursive: true })
process.exitCode = failed ? 1 : 0
