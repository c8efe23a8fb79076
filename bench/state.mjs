// The state as it grows, in a store on the disk under --folder: reads, durable commits and growing at 100,000, 1 M and
// 10 M accounts, and beside them look-ups in the bare library that the store is built on, at 1 M and 10 M.
//   node bench/state.mjs [--folder DIR] [--small]
// --small leaves 10 M out. Reads and the bare library's are of processor time.
import { spawn } from 'node:child_process'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { root } from '../scripts/solc.mjs'
import { atMost, shown } from './bars.mjs'

const { values: options } = parseArgs({
  options: { folder: { type: 'string', default: os.tmpdir() }, small: { type: 'boolean', default: false } },
})
// What the program says, which is shown as it comes.
async function run(name, argv = []) {
  const env = { ...process.env, TMPDIR: options.folder }
  const child = spawn(path.join(root, 'build', 'bench', name), argv, { env, stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = new Promise((resolve) => child.on('exit', resolve))
  let out = ''
  for await (const text of child.stdout) {
    out += text
    process.stdout.write(text)
  }
  if ((await ended) !== 0) throw new Error(`${name} failed`)
  return out
}

const ours = await run('state_disk_bench', options.small ? [] : ['--large'])
const figure = (name, pattern) => Number(new RegExp(`^disk_${name}\\s+${pattern}`, 'm').exec(ours)?.[1])
const sizes = [100_000, 1_000_000, ...(options.small ? [] : [10_000_000])]
const curve = (name, pattern) => sizes.map((size) => figure(`${name}_${size}`, pattern))
const words = sizes.map((size) => (size < 1e6 ? `${size / 1e3} k` : `${size / 1e6} M`)).join(', ')
shown(`state read at ${words}`, curve('read', '(\\d+) ns').map((ns) => `${(ns / 1000).toFixed(2)}`).join(', ') + ' us')
shown(`durable commit of 1,000 updates at ${words}`, curve('commit', '.*, ([\\d.]+) by').join(', ') + ' ms')
shown(`fresh accounts a second up to ${words}`, curve('grow', '.*, (\\d+) by').join(', '))
if (!options.small) {
  const bare = await run('lmdb_bench')
  const [at1, at10] = [1_000_000, 10_000_000].map((n) => Number(new RegExp(`lmdb_read_${n} (\\d+)`).exec(bare)[1]))
  const growth = figure('read_10000000', '(\\d+) ns') / figure('read_1000000', '(\\d+) ns')
  console.log(`reads grow ${growth.toFixed(2)} times from 1 M to 10 M, the bare library's ${(at10 / at1).toFixed(2)} times`)
  shown('bare LMDB read at 1 M, 10 M', `${(at1 / 1000).toFixed(2)}, ${(at10 / 1000).toFixed(2)} us`)
  atMost("growth of reads from 1 M to 10 M, over the bare library's", 1.5, growth / (at10 / at1), '')
}
