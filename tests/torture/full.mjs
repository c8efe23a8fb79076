// A disk that is really full: a small file system of its own, with a file beside the node's data that takes up the rest.
// An import, given a little more room each time, stops with words that say so, leaves a folder that verifies and holds
// what was said to be durable, and comes to its end; a development node stops the same way, and has what it had made
// durable.
//   node tests/torture/full.mjs [--seed N]
import { spawn, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { root } from '../../scripts/solc.mjs'
import { addresses, startNode } from '../e2e/node.mjs'
import { writeBranches } from './branches.mjs'

const program = path.join(process.env.ASHLAR_BIN ?? path.join(root, 'build', 'bin'), 'ashlar-node')
const mebibyte = 2 ** 20
const seed = Number(process.argv[process.argv.indexOf('--seed') + 1]) || Math.floor(Math.random() * 2 ** 31)

function expect(isSo, words) {
  if (!isSo) throw new Error(words)
}

const run = (...argv) => spawnSync(program, argv, { encoding: 'utf8' })

function verify(data) {
  const done = run('db', 'verify', '--data', data)
  expect(done.status === 0, `the folder does not verify: ${done.stderr}`)
  return /blocks to \d+, (0x[0-9a-f]{64})/.exec(done.stdout)[1]
}

// Takes up all room but so many bytes.
function fill(disk, leaves) {
  const { bavail, bsize } = fs.statfsSync(disk)
  fs.writeFileSync(path.join(disk, 'ballast'), Buffer.alloc(Math.max(0, bavail * bsize - leaves)))
}

async function importStops(folder, disk) {
  const order = await writeBranches(folder, { blocks: 150, seed })
  const data = path.join(disk, 'imported')
  const argv = ['import', '--data', data, '--genesis', path.join(folder, 'genesis.json'), '--sync', '3',
    path.join(folder, 'chain.rlp')]
  let least = -1
  let stops = 0
  for (;; stops++) {
    fill(disk, 64 * 1024)
    const { status, stdout, stderr } = run(...argv)
    if (status === 0) break
    expect(status === 1, `without room the import ended with ${status}: ${stdout}${stderr}`)
    expect(/the disk is full|No space left/.test(stderr), `its words do not say what happened: ${stderr}`)
    expect(!/^head:/m.test(stdout), `it names a head that was not kept: ${stdout}`)
    const durable = [...stdout.matchAll(/^durable: block \d+, (0x[0-9a-f]{64})$/gm)].at(-1)?.[1]
    fs.rmSync(path.join(disk, 'ballast'))
    if (durable) least = order.findIndex(({ hash }) => hash === durable)
    if (least < 0) continue
    const at = order.findIndex(({ hash }) => hash === verify(data))
    expect(at >= least, `block ${least} of the file was durable, and the head is block ${at}`)
  }
  fs.rmSync(path.join(disk, 'ballast'))
  expect(stops >= 3 && least >= 0, `the disk was full ${stops} times only`)
  expect(verify(data) === order.at(-1).hash, 'gone on with, it does not end at the last block')
}

async function developmentStops(disk) {
  const data = path.join(disk, 'developed')
  const errors = path.join(disk, '..', 'errors')
  const node = await startNode(['--data', data], { stderr: fs.openSync(errors, 'w') })
  const send = () => node.rpc('eth_sendTransaction', { from: addresses[0].toLowerCase(),
    data: `0x7f${'ab'.repeat(32)}5f5260206000f3`, gas: '0x30d40' })
  for (let i = 0; i < 5; i++) await send()
  const kept = await node.rpc('eth_blockNumber')
  await new Promise((resolve) => setTimeout(resolve, 1000)) // it has been made durable long since
  fill(disk, 0)
  let sent = 0
  const ended = await (async () => {
    for (; sent < 2000; sent++)
      try {
        await send()
      } catch (error) {
        return error
      }
  })()
  expect(ended, `${sent} transactions were sealed without any room`)
  expect((await node.stop()) === 1, 'the node did not end with status 1')
  expect(/the disk is full/.test(fs.readFileSync(errors, 'utf8')), `its words: ${fs.readFileSync(errors, 'utf8')}`)
  fs.rmSync(path.join(disk, 'ballast'))
  verify(data)
  const again = await startNode(['--data', data])
  const number = await again.rpc('eth_blockNumber')
  expect(Number(number) >= Number(kept), `block ${kept} was durable, and the head is ${number}`)
  await again.rpc('eth_sendTransaction', { from: addresses[0].toLowerCase(), to: addresses[1].toLowerCase() })
  expect((await again.stop()) === 0, 'with room it does not end well')
}

async function main() {
  console.log(`full: seed ${seed}`)
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'ashlar-full-'))
  const disk = path.join(folder, 'disk')
  fs.mkdirSync(disk)
  let passed = 0
  try {
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${16 * mebibyte}`, 'none', disk], { encoding: 'utf8' })
    expect(mounted.status === 0, `mount: ${mounted.stderr}`)
    await importStops(folder, disk)
    passed++
    await developmentStops(disk)
    passed++
  } catch (error) {
    console.log(`FAIL ${error.stack}`)
  } finally {
    spawnSync('umount', [disk])
    fs.rmSync(folder, { recursive: true, force: true })
  }
  console.log(`${passed} passed, ${passed === 2 ? 0 : 1} failed`)
  process.exitCode = passed === 2 ? 0 : 1
}

// The file system is seen by this process and its children only; it goes with them.
if (!process.env.FULL_INSIDE) {
  const can = spawnSync('unshare', ['--map-root-user', '--mount', 'true']).status === 0
  if (!can) {
    console.log('note: a full disk was not tried: this user may not mount a file system (unshare --map-root-user --mount)')
    console.log('0 passed, 0 failed, 2 skipped')
    process.exit(0)
  }
  const inside = spawn('unshare', ['--map-root-user', '--mount', process.execPath, fileURLToPath(import.meta.url), '--seed',
    `${seed}`], { stdio: 'inherit', env: { ...process.env, FULL_INSIDE: '1' } })
  inside.on('close', (status) => process.exit(status ?? 1))
} else {
  await main()
}
