// Imports the same chains with ashlar-node and geth in turn and prints the ratio: from an empty folder to a durable head.
//   node bench/import/run.mjs [--blocks N] [--rounds N] [--geth PATH] [--folder DIR] [KIND...]
// Wall time of the whole process, genesis included, since that is what a user waits for; geth runs as
// `geth init` and `geth import` with its defaults. Mgas/s over the gas of the blocks. Both heads must be the same.
import { execFileSync, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { root } from '../../scripts/solc.mjs'
import { atLeast, geomean, median, shown } from '../bars.mjs'

const { values: options, positionals } = parseArgs({
  options: {
    blocks: { type: 'string', default: '300' },
    rounds: { type: 'string', default: '3' },
    geth: { type: 'string', default: 'geth' },
    folder: { type: 'string', default: os.tmpdir() },
  },
  allowPositionals: true,
})
const kinds = positionals.length > 0 ? positionals : ['transfers', 'tokens', 'storage', 'computing', 'mix']
const bin = process.env.ASHLAR_BIN ?? path.join(root, 'build', 'bin')

execFileSync(process.execPath, [path.join(root, 'bench', 'import', 'chains.mjs'), '--blocks', options.blocks, ...kinds], {
  stdio: 'inherit',
})

// Runs a program and gives wall seconds, CPU seconds and peak memory, as time(1) sees them.
function timed(program, argv) {
  const report = path.join(options.folder, `ashlar-import-time.${process.pid}`)
  const begin = process.hrtime.bigint()
  const done = spawnSync('/usr/bin/time', ['-f', '%U %S %M', '-o', report, program, ...argv], { encoding: 'utf8' })
  const wall = Number(process.hrtime.bigint() - begin) / 1e9
  if (done.status !== 0) throw new Error(`${program} ${argv[0]} failed: ${done.stderr.slice(-2000)}`)
  const [user, system, kib] = fs.readFileSync(report, 'utf8').trim().split('\n').pop().split(' ').map(Number)
  fs.rmSync(report)
  return { wall, cpu: user + system, mib: kib / 1024, text: done.stdout + done.stderr }
}

const sides = {
  ours(data, genesis, chain) {
    return timed(path.join(bin, 'ashlar-node'), ['import', '--data', data, '--genesis', genesis, chain])
  },
  geth(data, genesis, chain) {
    const init = timed(options.geth, ['--datadir', data, 'init', genesis])
    const done = timed(options.geth, ['--datadir', data, 'import', chain])
    return { ...done, wall: init.wall + done.wall, cpu: init.cpu + done.cpu }
  },
}
if (spawnSync(options.geth, ['version'], { stdio: 'ignore' }).error) {
  console.log('peer geth: not run, for there is none (go install github.com/ethereum/go-ethereum/cmd/geth@v1.17.0, or --geth PATH)')
  delete sides.geth
}

function size(folder) {
  return fs.readdirSync(folder, { recursive: true, withFileTypes: true }).filter((f) => f.isFile())
    .reduce((sum, f) => sum + fs.statSync(path.join(f.parentPath ?? f.path, f.name)).blocks * 512, 0)
}

// As geth prints a hash: its first and last six digits.
const headOf = {
  ours: (text) => /^head: block \d+, 0x([0-9a-f]{6})[0-9a-f]+([0-9a-f]{6})$/m.exec(text)?.slice(1).join('..'),
  geth: (text) => [...text.matchAll(/Imported new .*hash=([0-9a-f]{6}\.\.[0-9a-f]{6})/g)].at(-1)?.[1],
}

function importOnce(side, folder) {
  const data = fs.mkdtempSync(path.join(options.folder, `ashlar-import-${side}-`))
  try {
    const result = sides[side](data, path.join(folder, 'genesis.json'), path.join(folder, 'chain.rlp'))
    return { ...result, head: headOf[side](result.text), disk: size(data) / 1e6 }
  } finally {
    fs.rmSync(data, { recursive: true })
  }
}

const ratios = []
console.log(`${'chain'.padEnd(12)}${'side'.padEnd(6)}${'Mgas/s'.padStart(9)}${'seconds'.padStart(9)}${'CPU s'.padStart(8)}${'MiB'.padStart(7)}${'disk MB'.padStart(9)}`)
for (const kind of kinds) {
  const folder = path.join(root, 'build', 'bench', 'import', `${kind}-${options.blocks}`)
  const gas = Number(fs.readFileSync(path.join(folder, 'gas'), 'utf8'))
  const samples = Object.fromEntries(Object.keys(sides).map((side) => [side, []]))
  for (let round = 0; round < Number(options.rounds); round++) {
    const order = Object.keys(sides)
    if (round % 2 === 1) order.reverse()
    for (const side of order) samples[side].push(importOnce(side, folder))
  }
  const heads = new Set(Object.values(samples).flat().map(({ head }) => head))
  if (heads.size !== 1 || heads.has(undefined)) throw new Error(`${kind}: the heads differ: ${[...heads].join(', ')}`)
  const speed = {}
  for (const [side, runs] of Object.entries(samples)) {
    const wall = median(runs.map((r) => r.wall))
    speed[side] = gas / wall / 1e6
    const cells = [speed[side].toFixed(1), wall.toFixed(2), median(runs.map((r) => r.cpu)).toFixed(1),
      median(runs.map((r) => r.mib)).toFixed(0), median(runs.map((r) => r.disk)).toFixed(0)]
    console.log(kind.padEnd(12) + side.padEnd(6) + cells.map((c, i) => c.padStart([9, 9, 8, 7, 9][i])).join(''))
  }
  if (speed.geth) {
    ratios.push(speed.ours / speed.geth)
    shown(`import of ${kind}`, `${ratios.at(-1).toFixed(2)} times geth`)
    console.log(`${kind}: ${ratios.at(-1).toFixed(2)} times geth`)
  }
}
if (ratios.length === 0) shown('import beside geth', 'not run, for there is no geth')
if (ratios.length > 0) {
  atLeast('import, mean', 3, geomean(ratios), "times geth's Mgas/s")
  atLeast('import, least', 2, Math.min(...ratios), "times geth's Mgas/s")
  console.log(`mean ${geomean(ratios).toFixed(2)} times geth, least ${Math.min(...ratios).toFixed(2)}`)
}
