// Runs the benchmarks of ashlar-evm and of revm in turn and prints, case by case, how many times revm's speed we have.
//   node bench/code.mjs [--rounds N] [--only REGEX] [--engine plain|fast|auto] [--no-peer]
// All times are CPU time of one thread. Each round runs both sides on each file, first the one, next time the other;
// a case's figure is the median of its rounds.
import { execFileSync, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { atLeast, atMost, bar, geomean, median } from './bars.mjs'

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..')
const inBuild = (...names) => path.join(root, 'build', ...names)
const onlyJump = new Set(['JUMPDEST_n0', 'jump_around', 'loop_with_many_jumpdests'])

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    only: { type: 'string', default: '' },
    engine: { type: 'string' },
    'no-peer': { type: 'boolean', default: false },
  },
})
const rounds = Number(options.rounds)
const wanted = new RegExp(options.only)

const jsonFiles = (folder) =>
  fs.existsSync(folder)
    ? fs.readdirSync(folder, { recursive: true }).filter((f) => f.endsWith('.json')).sort().map((f) => path.join(folder, f))
    : []

// --- the two sides -----------------------------------------------------------------------------------

function buildPeer() {
  if (options['no-peer']) return null
  if (spawnSync('cargo', ['--version'], { stdio: 'ignore' }).error) {
    console.log('peer revm: not run, for there is no cargo')
    return null
  }
  const target = inBuild('peers', 'revm')
  const built = spawnSync('cargo', ['build', '--release', '--locked', '--quiet'], {
    cwd: path.join(root, 'bench', 'peers', 'revm'),
    env: { ...process.env, CARGO_TARGET_DIR: target },
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  if (built.status !== 0) {
    console.log('peer revm: not run, for it could not be built')
    return null
  }
  return path.join(target, 'release', 'peer-revm')
}

function run(program, argv) {
  const out = execFileSync(program, argv, { stdio: ['ignore', 'pipe', 'inherit'], maxBuffer: 1 << 26 })
  return out.toString().trim().split('\n').filter(Boolean).map((line) => JSON.parse(line))
}

const engine = options.engine ? ['--engine', options.engine] : []
const ashlar = path.join(process.env.ASHLAR_BIN ?? inBuild('bin'), 'ashlar-evm')
const revm = buildPeer()
const sides = {
  ours: { code: (file, fork) => run(ashlar, ['bench', file, '--fork', fork, '--json', ...engine]),
    scenario: (file) => run(ashlar, ['bench', file, '--json', ...engine]) },
  ...(revm && {
    revm: { code: (file, fork) => run(revm, ['bench', file, '--fork', fork, '--json']),
      scenario: (file) => run(revm, ['tx', file, '--json']) },
  }),
}

// --- what is measured --------------------------------------------------------------------------------

function officialFiles() {
  const unpacked = inBuild('bench', 'j')
  const fixtures = process.env.FIXTURES ?? path.join(root, '..', 'shared', 'fixtures')
  const archive = path.join(fixtures, 'j-evm-benchmarks.tar.zst')
  if (!fs.existsSync(unpacked) && fs.existsSync(archive)) {
    fs.mkdirSync(unpacked, { recursive: true })
    execFileSync('tar', ['--zstd', '-xf', archive, '-C', unpacked])
  }
  const files = jsonFiles(unpacked)
  if (files.length === 0) console.log(`archive j: not run, for there is no ${archive}`)
  return files
}

function scenarioFiles() {
  execFileSync(process.execPath, [path.join(root, 'bench', 'scenarios.mjs')], { stdio: 'ignore' })
  return jsonFiles(inBuild('bench', 'scenarios'))
}

// Medians over the rounds: name -> side -> { us, gas }.
function measure(files, kind, fork) {
  const samples = new Map()
  for (let round = 0; round < rounds; round++) {
    for (const file of files) {
      const order = Object.keys(sides)
      if (round % 2 === 1) order.reverse()
      for (const side of order) {
        for (const { name, label, gas, us } of sides[side][kind](file, fork)) {
          const key = kind === 'code' || label !== 'tx' ? `${name} ${label}` : name
          const entry = samples.get(key) ?? samples.set(key, {}).get(key)
          entry[side] ??= { gas, all: [] }
          entry[side].all.push(us)
        }
      }
    }
  }
  return [...samples].map(([key, entry]) => {
    const cells = Object.entries(entry).map(([side, { gas, all }]) => [side, { gas, us: median(all) }])
    return { key, ...Object.fromEntries(cells) }
  })
}

// --- what is printed ---------------------------------------------------------------------------------

function printTable(title, rows) {
  console.log(`\n${title.padEnd(34)}${'gas'.padStart(12)}${'ours us'.padStart(12)}${'revm us'.padStart(12)}${'times'.padStart(8)}`)
  for (const { key, ours, revm: peer } of rows) {
    const ratio = peer ? (peer.us / ours.us).toFixed(2) : '-'
    const wrong = peer && peer.gas !== ours.gas ? `   GAS DIFFERS: revm ${peer.gas}` : ''
    const cells = [`${ours.gas}`, ours.us.toFixed(2), peer ? peer.us.toFixed(2) : '-']
    console.log(key.padEnd(34) + cells.map((c) => c.padStart(12)).join('') + ratio.padStart(8) + wrong)
  }
}

function printMean(title, rows, bars) {
  const ratios = rows.filter((r) => r.revm).map((r) => r.revm.us / r.ours.us)
  if (ratios.length === 0) return bar(title, bars ? 'beside revm' : 'shown', 'not run')
  const [mean, least] = [geomean(ratios), Math.min(...ratios)]
  console.log(`${title}: ${mean.toFixed(2)} times revm in the geometric mean of ${ratios.length} cases, the least ${least.toFixed(2)}`)
  if (!bars) return bar(title, 'shown', `${mean.toFixed(2)} times revm, the least ${least.toFixed(2)}`)
  atLeast(`${title}, mean`, bars.mean, mean, 'times revm')
  atLeast(`${title}, least`, bars.least, least, 'times revm')
}

// The first run of each case, preparation included, against the plain interpreter's first run.
function printFirstRuns(files) {
  const firsts = { auto: new Map(), plain: new Map() }
  for (let round = 0; round < rounds; round++) {
    for (const file of files) {
      for (const [name, medians] of Object.entries(firsts)) {
        for (const { name: test, label, us } of run(ashlar, ['bench', file, '--first', '--json', '--engine', name])) {
          const key = `${test} ${label}`
          medians.set(key, [...(medians.get(key) ?? []), us])
        }
      }
    }
  }
  const ratios = [...firsts.auto].map(([key, all]) => ({ key, ratio: median(all) / median(firsts.plain.get(key)) }))
  if (ratios.length === 0) return
  const worst = ratios.reduce((a, b) => (a.ratio > b.ratio ? a : b))
  const mean = geomean(ratios.map(({ ratio }) => ratio)).toFixed(2)
  atMost('first runs, preparation included, the worst', 1.2, worst.ratio, "times the plain interpreter's")
  console.log(`first runs with preparation: ${mean} times the plain interpreter's in the mean, at most ${worst.ratio.toFixed(2)} (${worst.key})`)
}

const hostile = 'hostile_bench'
const primitives = ['crypto_bench', 'keccak_bench', 'state_bench', 'trie_bench']
// Those that are to stand beside a named peer, and which it is.
const named = {
  keccak256_32: 'keccak-asm', keccak256_136: 'keccak-asm', ecrecover: "revm's", trie_root_1M: 'alloy-trie',
  bn254_pairing_2: "revm's", bls12381_pairing_2: "revm's",
}

// Code made to be expensive for the fast interpreter: its time over the plain interpreter's, first runs and later ones.
function printHostile() {
  if (!fs.existsSync(inBuild('bench', hostile))) return
  const out = execFileSync(inBuild('bench', hostile), { stdio: ['ignore', 'pipe', 'inherit'] }).toString()
  const shapes = [...out.matchAll(/^hostile_(\S+) ([\d.]+)$/gm)].map(([, name, ratio]) => [name, Number(ratio)])
  console.log(`\n${'hostile code'.padEnd(34)}${'times plain'.padStart(12)}`)
  for (const [name, ratio] of shapes) console.log(name.padEnd(34) + ratio.toFixed(2).padStart(12))
  const [name, worst] = shapes.reduce((a, b) => (a[1] > b[1] ? a : b))
  atMost('code made to be expensive to translate', 2, worst, "times the plain interpreter's")
  console.log(`hostile code: at most ${worst.toFixed(2)} times the plain interpreter's time (${name})`)
}

// Our own programs print `name nanoseconds`; peer-revm crypto prints lines as above.
function printPrimitives() {
  const lines = new Map()
  for (const program of primitives.filter((name) => fs.existsSync(inBuild('bench', name)))) {
    const out = execFileSync(inBuild('bench', program), { stdio: ['ignore', 'pipe', 'inherit'] }).toString()
    for (const [, name, figure, unit] of out.matchAll(/^(\S+)\s+([\d.]+)\s*(ms|us|ns)?/gm)) {
      lines.set(name, Number(figure) * { ms: 1000, us: 1, ns: 0.001 }[unit ?? 'ns'])
    }
  }
  const peers = new Map()
  if (revm) {
    for (const { name, label, us } of run(revm, ['crypto', '--json'])) peers.set([name, label].filter(Boolean).join('_'), us)
  }
  console.log(`\n${'primitive'.padEnd(46)}${'ours us'.padStart(12)}${'peer us'.padStart(12)}${'times'.padStart(8)}`)
  for (const [name, us] of lines) {
    const peer = peers.get(name)
    if (named[name]) bar(name, 'beside a peer', peer ? `${(peer / us).toFixed(2)} times ${named[name]}` : 'not run')
    const cells = [us.toFixed(2), peer?.toFixed(2) ?? '-']
    console.log(name.padEnd(46) + cells.map((c) => c.padStart(12)).join('') + (peer ? peer / us : NaN).toFixed(2).replace('NaN', '-').padStart(8))
  }
}

const pick = (files) => files.filter((file) => wanted.test(path.basename(file)))
const codeFiles = pick(officialFiles())
const official = measure(codeFiles, 'code', 'Istanbul')
// A precompile's answer to the same input is kept, so that repeating it shows nothing; the primitives stand below.
const ownFiles = jsonFiles(path.join(root, 'bench', 'evm')).filter((file) => !file.endsWith('precompiles.json'))
const ownPicked = pick(ownFiles)
const own = measure(ownPicked, 'code', 'Prague')
const scenarios = measure(pick(scenarioFiles()), 'scenario')

printTable('archive j, Istanbul', official)
const isKeccak = ({ key }) => key.startsWith('keccak ')
const programs = own.filter((row) => !isKeccak(row))
printTable('our own programs, Prague', programs)
printTable('keccak as contracts call it', own.filter(isKeccak))
// Ours always ends with the state's root; revm's commit knows none, so its second line adds one by alloy-trie.
const bare = scenarios.filter((row) => row.ours)
const rooted = bare.map((row) => ({ ...row, revm: scenarios.find(({ key }) => key === `${row.key} tx with root`)?.revm }))
printTable('transactions, both with a root', rooted)
printTable('transactions, revm without a root', bare)
if (!options.only) printPrimitives()
if (!options.only) printHostile()

console.log('')
const computing = official.filter(({ key }) => !onlyJump.has(key.split(' ')[0]))
printMean('archive j', official)
printMean('archive j without the cases that only jump', computing, { mean: 3, least: 1.2 })
printMean('our own programs', programs)
printMean('transactions, both with a root', rooted)
printMean('transactions, revm without a root', bare)
printFirstRuns([...codeFiles, ...ownPicked])
