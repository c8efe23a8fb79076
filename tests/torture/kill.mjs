// Kills a node with SIGKILL at random moments while it imports a chain full of reorganisations. Each time the data
// folder must verify, its head must be one of the chain's, and not before the last block that was said to be durable.
//   node tests/torture/kill.mjs [--times N] [--seed N] [--blocks N] [--state archive|N] [--address-index]
// ASHLAR_BIN names the folder of programs (build/bin).
import { spawn, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { root } from '../../scripts/solc.mjs'
import { randomFrom, writeBranches } from './branches.mjs'

const { values } = parseArgs({
  options: {
    times: { type: 'string', default: '100' },
    blocks: { type: 'string', default: '300' },
    state: { type: 'string', default: '128' }, // as the node's option
    'address-index': { type: 'boolean', default: false },
    seed: { type: 'string', default: `${Math.floor(Math.random() * 2 ** 31)}` },
  },
})
const [times, blocks, seed] = [values.times, values.blocks, values.seed].map(Number)
const program = path.join(process.env.ASHLAR_BIN ?? path.join(root, 'build', 'bin'), 'ashlar-node')
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'ashlar-torture-'))
const data = path.join(folder, 'data')
const random = randomFrom(seed)

// Imports until killed or done; resolves to the hash that was last said to be durable, and whether it was done.
function importAndKill(afterMs, syncEvery) {
  return new Promise((resolve) => {
    const child = spawn(program, ['import', '--data', data, '--genesis', path.join(folder, 'genesis.json'),
      '--sync', `${syncEvery}`, '--state', values.state, ...(values['address-index'] ? ['--address-index'] : []), path.join(folder, 'chain.rlp')], { stdio: ['ignore', 'pipe', 'pipe'] })
    let said = ''
    let wrong = ''
    child.stdout.on('data', (text) => (said += text))
    child.stderr.on('data', (text) => (wrong += text))
    const timer = setTimeout(() => child.kill('SIGKILL'), afterMs)
    child.on('close', (status, signal) => {
      clearTimeout(timer)
      const durable = [...said.matchAll(/^durable: block \d+, (0x[0-9a-f]{64})$/gm)].at(-1)?.[1]
      resolve({ durable, done: signal === null, status, wrong })
    })
  })
}

function verify() {
  const done = spawnSync(program, ['db', 'verify', '--data', data], { encoding: 'utf8' })
  if (done.status !== 0) throw new Error(`the folder does not verify: ${done.stderr}`)
  return /blocks to \d+, (0x[0-9a-f]{64})/.exec(done.stdout)[1]
}

console.log(`torture: seed ${seed}`)
let failed = 0
let killed = 0
let rounds = 0
try {
  const order = await writeBranches(folder, { blocks, seed })
  const place = new Map(order.map(({ hash }, i) => [hash, i]))
  const began = performance.now()
  const first = await importAndKill(2 ** 30, 3)
  if (first.status !== 0) throw new Error(`the import ended with ${first.status}: ${first.wrong}`)
  if (place.get(verify()) !== order.length - 1) throw new Error('the import does not end at the last block')
  const whole = performance.now() - began
  fs.rmSync(data, { recursive: true })
  let least = -1
  while (killed < times && !failed) {
    rounds++
    const isNew = !fs.existsSync(path.join(data, 'chain'))
    const { durable, done, status, wrong } = await importAndKill(random() * whole * 0.5, 1 + Math.floor(random() * 8))
    if (!done) killed++
    if (done && status !== 0) {
      console.log(`FAIL round ${rounds}: the import ended with ${status}: ${wrong}`)
      failed++
      break
    }
    if (durable !== undefined) least = place.get(durable)
    if (isNew && durable === undefined) {
      // Even the genesis block may not have become durable.
      fs.rmSync(data, { recursive: true, force: true })
      continue
    }
    try {
      const head = verify()
      const at = place.get(head) ?? -1
      if (at < least) throw new Error(`block ${least} of the file was durable, and the head is block ${at}`)
      if (done && at !== order.length - 1) throw new Error(`the import was done, and the head is block ${at}`)
    } catch (error) {
      console.log(`FAIL round ${rounds}: ${error.message}`)
      failed++
    }
    if (done) {
      fs.rmSync(data, { recursive: true })
      least = -1
    }
  }
} finally {
  if (failed) console.log(`the folder is kept: ${folder}`)
  else fs.rmSync(folder, { recursive: true, force: true })
}
console.log(`${killed} kills in ${rounds} imports`)
console.log(`${failed ? Math.max(killed - 1, 0) : killed} passed, ${failed} failed`)
process.exitCode = failed ? 1 : 0
