// The official state tests as a measure: all of archives a and g1 on all cores.
//   node bench/suites.mjs
// tests/spec/run unpacks them (SPEC_UNPACKED, or build/spec); where they are not, nothing is run.
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { root } from '../scripts/solc.mjs'
import { bar, shown } from './bars.mjs'

const unpacked = process.env.SPEC_UNPACKED ?? path.join(root, 'build', 'spec')
const folders = ['a', 'g1'].map((name) => path.join(unpacked, name))
if (!folders.every((folder) => fs.existsSync(folder))) {
  console.log(`archives a and g1: not run, for they are not in ${unpacked} (tests/spec/run unpacks them)`)
  shown('archives a and g1', 'not run')
  process.exit(0)
}
const program = path.join(process.env.ASHLAR_BIN ?? path.join(root, 'build', 'bin'), 'ashlar-evm')
const begin = performance.now()
const done = spawnSync(program, ['statetest', '--reasons', ...folders], { encoding: 'utf8', maxBuffer: 1 << 28 })
const seconds = (performance.now() - begin) / 1000
const result = done.stdout.trim().split('\n').at(-1)
console.log(`archives a and g1: ${result} in ${seconds.toFixed(1)} s on ${os.availableParallelism()} cores`)
bar('archives a and g1, all of them', 'under 60 s on two cores', `${seconds.toFixed(1)} s`, done.status === 0 && seconds < 60)
process.exitCode = done.status
