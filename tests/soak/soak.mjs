// An hour of everything at once on one node with --memory: its memory, each second, must stay below, and not creep. Then
// another node takes in the chain with the same --memory, serves it, and must be small when it is at rest.
//   node tests/soak/soak.mjs [--seconds N] [--memory MIB] [--at-a-time N]
// Writes build/soak/curve.svg and curve.csv. ASHLAR_BIN names the folder of programs (build/bin).
import { spawn, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { root } from '../../scripts/solc.mjs'
import { startNode } from '../e2e/node.mjs'
import { genesisOf } from '../torture/branches.mjs'
import { openLoad } from './load.mjs'
import { creep, curve, median, memoryOf, trend } from './memory.mjs'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '3600' },
    memory: { type: 'string', default: '64' },
    'at-a-time': { type: 'string', default: '6' },
    only: { type: 'string' },
  },
})
const [seconds, ceiling, atATime] = [values.seconds, values.memory, values['at-a-time']].map(Number)
const folder = path.join(root, 'build', 'soak')
const program = path.join(process.env.ASHLAR_BIN ?? path.join(root, 'build', 'bin'), 'ashlar-node')
const place = fs.mkdtempSync(path.join(os.tmpdir(), 'ashlar-soak-'))
const [data, copy, file, genesis] = ['data', 'copy', 'chain.rlp', 'genesis.json'].map((name) => path.join(place, name))
const REST_MIB = 8 // of a node that nobody asks anything
fs.mkdirSync(folder, { recursive: true })

const node = await startNode(['--data', data, '--memory', `${ceiling}M`, '--state', '256'])
process.on('exit', () => node.stop())
fs.writeFileSync(genesis, JSON.stringify(await genesisOf(node)))
const load = await openLoad(node.url, node)
const began = performance.now()
const elapsed = () => (performance.now() - began) / 1000
const samples = []
const done = {}
let failure

const sample = () => {
  try {
    samples.push({ second: Math.round(elapsed()), ...memoryOf(node.pid) })
  } catch {
    failure ??= 'the node has ended'
  }
}
const sampler = setInterval(sample, 1000)

async function work() {
  const names = values.only ? values.only.split(',') : Object.keys(load.kinds)
  while (elapsed() < seconds && !failure) {
    const name = names[Math.floor(Math.random() * names.length)]
    try {
      await load.kinds[name]()
      done[name] = (done[name] ?? 0) + 1
    } catch (error) {
      const why = error.cause?.code ?? error.code ?? error.message
      if (typeof error.code !== 'number' && !['ECONNRESET', 'UND_ERR_SOCKET', 'EPIPE'].includes(why)) failure ??= `${name}: ${why}`
    }
  }
}
await Promise.all(Array.from({ length: atATime }, work))
clearInterval(sampler)
sample()
load.close()
const last = (await node.rpc('eth_blockNumber').catch(() => (failure ??= 'the node does not answer'))) ?? '0x0'
const peak = Math.max(...samples.map((sample) => sample.peak))
const status = await node.stop()
const run = (...words) => spawnSync(program, words, { encoding: 'utf8' })
const verified = run('db', 'verify', '--data', data)
const exported = run('export', '--data', data, file)
fs.writeFileSync(path.join(folder, 'curve.svg'), curve(samples, ceiling))
fs.writeFileSync(path.join(folder, 'curve.csv'), ['second,rss_mib,pss_mib', ...samples.map(({ second, rss, pss }) => `${second},${rss.toFixed(1)},${pss.toFixed(1)}`)].join('\n') + '\n')

// The most that a program had of memory, and how it ended.
function watched(...words) {
  const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'inherit'] })
  const seen = { child, peak: 0, said: '' }
  child.stdout.on('data', (text) => (seen.said += text))
  const look = () => {
    try {
      Object.assign(seen, memoryOf(child.pid))
    } catch {} // it has ended
  }
  const timer = setInterval(look, 20)
  seen.ended = new Promise((resolve) => child.on('close', (code) => (clearInterval(timer), resolve(code))))
  return seen
}
const taken = watched('import', '--data', copy, '--genesis', genesis, '--memory', `${ceiling}M`, file)
const takenStatus = exported.status === 0 ? await taken.ended : exported.stderr
const idle = watched('run', '--data', copy, '--memory', `${ceiling}M`, '--http.port', '0')
for (let tries = 0; tries < 250 && !(idle.pss < REST_MIB && idle.said); tries++) await new Promise((resolve) => setTimeout(resolve, 100))
const rest = idle.pss
idle.child.kill()
const idleStatus = await idle.ended

const step = Math.max(1, Math.floor(samples.length / 20))
for (let i = 0; i < samples.length; i += step) {
  const part = samples.slice(i, i + step)
  const [rss, pss] = [Math.max(...part.map((at) => at.rss)), median(part.map((at) => at.pss))]
  console.log(`${String(part[0].second).padStart(6)} s  RSS ${rss.toFixed(1).padStart(6)} MiB at most  PSS ${pss.toFixed(1).padStart(6)} in the middle  ${'#'.repeat(Math.round((rss * 40) / ceiling))}`)
}
console.log(Object.entries(done).map(([name, count]) => `${name} ${count}`).join(', '))
const crept = creep(samples.map(({ rss }) => rss), ceiling)
const rises = trend(samples, ceiling)
const checks = [
  ['nothing failed', !failure, failure],
  ['every moment below the ceiling', peak <= ceiling, `${peak.toFixed(1)} of ${ceiling} MiB`],
  ['no creep', crept === 0, `${crept.toFixed(1)} MiB`],
  ['no trend in the last half', rises === 0, `${rises.toFixed(1)} MiB an hour`],
  ['ended as told', status === 0, `status ${status}`],
  ['the folder verifies', verified.status === 0, verified.stderr],
  ['its chain is imported below the ceiling', takenStatus === 0 && taken.peak <= ceiling, `${takenStatus}; ${taken.peak.toFixed(1)} of ${ceiling} MiB`],
  [`and served, at rest with less than ${REST_MIB} MiB`, idleStatus === 0 && rest < REST_MIB, `${rest?.toFixed(1)} MiB (PSS)`],
]
for (const [name, ok, words] of checks) console.log(`${ok ? 'ok  ' : 'FAIL'}  ${name}${ok ? '' : `: ${words}`}`)
console.log(`block ${Number(last)}, at most ${peak.toFixed(1)} MiB of ${ceiling}, ${taken.peak.toFixed(1)} in an import, ${rest?.toFixed(1)} at rest; curve in ${path.relative(root, folder)}/curve.svg`)
const failed = checks.filter(([, ok]) => !ok).length
console.log(`${checks.length - failed} passed, ${failed} failed`)
fs.rmSync(place, { recursive: true, force: true })
process.exit(failed ? 1 : 0)
