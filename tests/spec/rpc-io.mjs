// Holds a node's JSON-RPC against recorded requests and answers (execution-apis, tests/*/*.io): imports their chain,
// serves it, asks, and compares as hive does.
//   node tests/spec/rpc-io.mjs ASHLAR-NODE FOLDER [--verbose] [PATTERN]
// FOLDER holds genesis.json, chain.rlp and METHOD/NAME.io. Of an answer that is an error the code is compared, and
// the words are not; of a file marked "speconly" only whether it is a result or an error, and the kinds of values.
import { spawn, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'

const words = process.argv.slice(2).filter((word) => word !== '--verbose')
const verbose = process.argv.includes('--verbose')
const [program, folder, pattern = ''] = words
if (!program || !folder) {
  console.error('usage: rpc-io.mjs ASHLAR-NODE FOLDER [--verbose] [PATTERN]')
  process.exit(2)
}

const data = fs.mkdtempSync(path.join(os.tmpdir(), 'ashlar-rpc-io-'))

function importChain() {
  const words = ['import', '--data', data, '--genesis', path.join(folder, 'genesis.json'), path.join(folder, 'chain.rlp')]
  const done = spawnSync(program, words, { encoding: 'utf8' })
  if (done.status !== 0) throw new Error(`the chain was not imported: ${done.stderr}`)
}

// Resolves to the address that the node listens on.
function serve(child) {
  return new Promise((resolve, reject) => {
    let said = ''
    child.stdout.on('data', (text) => {
      said += text
      const found = /http:\/\/\S+/.exec(said)
      if (found) resolve(found[0])
    })
    child.on('exit', (status) => reject(new Error(`the node ended with status ${status}`)))
  })
}

// A file's exchanges: [{ request, expected }].
function readExchanges(file) {
  const exchanges = []
  let specOnly = false
  for (const line of fs.readFileSync(file, 'utf8').split('\n')) {
    if (line.startsWith('//') && line.includes('speconly')) specOnly = true
    if (line.startsWith('>> ')) exchanges.push({ request: line.slice(3) })
    if (line.startsWith('<< ')) exchanges.at(-1).expected = JSON.parse(line.slice(3))
  }
  return { exchanges, specOnly }
}

// Where two values differ first, as a path; undefined when they do not. Optional: members may be absent.
function difference(expected, found, optional, at = '$') {
  if (typeof expected !== typeof found || (expected === null) !== (found === null) || Array.isArray(expected) !== Array.isArray(found))
    return `${at}: ${JSON.stringify(expected)} was expected, not ${JSON.stringify(found)}`
  if (expected === null || typeof expected !== 'object')
    return expected === found ? undefined : `${at}: ${JSON.stringify(expected)} was expected, not ${JSON.stringify(found)}`
  for (const key of new Set([...Object.keys(expected), ...Object.keys(found)])) {
    if (optional && (!(key in found) || !(key in expected))) continue
    if (!(key in found)) return `${at}.${key} is missing: ${JSON.stringify(expected[key])}`
    if (!(key in expected)) return `${at}.${key} is not expected: ${JSON.stringify(found[key])}`
    const differs = difference(expected[key], found[key], optional, `${at}.${key}`)
    if (differs) return differs
  }
  return undefined
}

// Values give way to their kinds.
function shape(value) {
  if (value === null || typeof value !== 'object') return value === null ? null : typeof value
  if (Array.isArray(value)) return value.slice(0, 1).map(shape)
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, shape(member)]))
}

function compare(expected, found, specOnly) {
  if ('error' in expected && 'error' in found) {
    if (specOnly || expected.error.code === found.error.code) return undefined
    return `$.error.code: ${expected.error.code} was expected, not ${found.error.code} (${found.error.message})`
  }
  if ('error' in expected || 'error' in found) return difference(expected, found, false)
  return specOnly ? difference(shape(expected), shape(found), true) : difference(expected, found, false)
}

async function run(url, file) {
  const { exchanges, specOnly } = readExchanges(file)
  for (const { request, expected } of exchanges) {
    const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: request })
    const found = JSON.parse(await response.text())
    const differs = compare(expected, found, specOnly)
    if (differs) return verbose ? `${differs}\n  >> ${request}\n  << ${JSON.stringify(found).slice(0, 2000)}` : differs
  }
  return undefined
}

function listFiles() {
  return fs
    .readdirSync(folder, { recursive: true })
    .filter((name) => name.endsWith('.io') && name.includes(pattern))
    .sort()
}

let child
try {
  importChain()
  child = spawn(program, ['run', '--data', data, '--http.port', '0', '--testing'], { stdio: ['ignore', 'pipe', 'inherit'] })
  const url = await serve(child)
  let passed = 0
  let failed = 0
  for (const name of listFiles()) {
    const differs = await run(url, path.join(folder, name))
    if (differs) console.log(`FAIL ${name}: ${differs.length > 600 && !verbose ? `${differs.slice(0, 600)}...` : differs}`)
    if (differs) failed++
    else passed++
  }
  console.log(`${passed} passed, ${failed} failed`)
  process.exitCode = failed ? 1 : 0
} finally {
  child?.removeAllListeners('exit')
  child?.kill()
  fs.rmSync(data, { recursive: true, force: true })
}
