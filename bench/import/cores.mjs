// What more cores give: an import bound by senders (transfers) on one core and on all, and the hashing of a trie's changes.
//   node bench/import/cores.mjs [--rounds N] [--folder DIR]
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { root } from '../../scripts/solc.mjs'
import { atLeast, median, shown } from '../bars.mjs'

const { values: options } = parseArgs({
  options: { rounds: { type: 'string', default: '3' }, folder: { type: 'string', default: os.tmpdir() } },
})
const inBuild = (...names) => path.join(root, 'build', ...names)
const node = path.join(process.env.ASHLAR_BIN ?? inBuild('bin'), 'ashlar-node')
const cores = os.availableParallelism()
const blocks = 300
if (cores < 2) {
  console.log('cores: not run, for there is but one')
  shown('scaling over two cores', 'not run, for there is but one')
  process.exit(0)
}
execFileSync(process.execPath, [path.join(root, 'bench', 'import', 'chains.mjs'), '--blocks', `${blocks}`, 'transfers'], {
  stdio: 'inherit',
})

function importSeconds(cpus) {
  const folder = inBuild('bench', 'import', `transfers-${blocks}`)
  const data = fs.mkdtempSync(path.join(options.folder, 'ashlar-cores-'))
  const words = ['import', '--data', data, '--genesis', path.join(folder, 'genesis.json'), path.join(folder, 'chain.rlp')]
  const begin = performance.now()
  execFileSync('taskset', ['-c', cpus, node, ...words], { stdio: 'ignore' })
  const seconds = (performance.now() - begin) / 1000
  fs.rmSync(data, { recursive: true })
  return seconds
}

const samples = { one: [], two: [] }
for (let round = 0; round < Number(options.rounds); round++) {
  samples.one.push(importSeconds('0'))
  samples.two.push(importSeconds('0,1'))
}
const [one, two] = [median(samples.one), median(samples.two)]
console.log(`import of transfers: ${one.toFixed(2)} s on one core, ${two.toFixed(2)} s on two: ${(one / two).toFixed(2)} times`)
atLeast('import of transfers, two cores', 1.6, one / two, 'times one core')

const out = execFileSync(inBuild('bench', 'trie_bench'), { stdio: ['ignore', 'pipe', 'inherit'] }).toString()
const [hash1, hash2] = [1, 2].map((n) => Number(new RegExp(`threads_${n} ([\\d.]+) ms`).exec(out)[1]))
console.log(`hashing 100,000 changes of 1 M: ${hash1} ms by one thread, ${hash2} ms by two: ${(hash1 / hash2).toFixed(2)} times`)
atLeast("hashing a trie's changes, two threads", 1.6, hash1 / hash2, 'times one thread')
