// Compiles Solidity with the pinned compiler from npm. As a module: compile(files) gives
// { ContractName: { abi, bytecode, deployedBytecode } }. As a program: node scripts/solc.mjs FILE... prints
// what was compiled and its size. A warning in our own sources is an error; the libraries' warnings are theirs.
// Results are kept under build/solc/ by the hash of everything that went in.
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const require = createRequire(import.meta.url)
export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..')
const cacheFolder = path.join(root, 'build', 'solc')
const defaults = { optimizer: { enabled: true, runs: 200 }, evmVersion: 'cancun' }

// Imports are named from the project's top or from node_modules.
function readSource(name) {
  for (const folder of [root, path.join(root, 'node_modules')]) {
    const file = path.join(folder, name)
    if (fs.existsSync(file)) return fs.readFileSync(file, 'utf8')
  }
  throw new Error(`solc: no source file ${name} in the project or in node_modules`)
}

// All sources reachable from the given ones, found by reading their import lines.
function collectSources(names) {
  const sources = {}
  const queue = [...names]
  while (queue.length > 0) {
    const name = queue.pop()
    if (sources[name]) continue
    const content = readSource(name)
    sources[name] = { content }
    for (const [, wanted] of content.matchAll(/^\s*import\s[^;]*?["']([^"']+)["'][^;]*;/gm)) {
      queue.push(wanted.startsWith('.') ? path.posix.join(path.posix.dirname(name), wanted) : wanted)
    }
  }
  return sources
}

function runCompiler(input) {
  const solc = require('solc')
  const output = JSON.parse(solc.compile(JSON.stringify(input)))
  const problems = (output.errors ?? []).filter(
    (e) => e.severity === 'error' || !e.sourceLocation?.file.startsWith('@'),
  )
  if (problems.length > 0) throw new Error(problems.map((e) => e.formattedMessage).join('\n'))
  return output.contracts
}

function pickContracts(contracts) {
  const picked = {}
  for (const file of Object.values(contracts)) {
    for (const [name, { abi, evm }] of Object.entries(file)) {
      const bytecode = '0x' + evm.bytecode.object
      picked[name] = { abi, bytecode, deployedBytecode: '0x' + evm.deployedBytecode.object }
    }
  }
  return picked
}

// `files` are paths from the project's top, or names in node_modules (@openzeppelin/...).
export function compile(files, settings = {}) {
  const input = {
    language: 'Solidity',
    sources: collectSources(files),
    settings: {
      ...defaults,
      ...settings,
      outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object', 'evm.deployedBytecode.object'] } },
    },
  }
  const version = require('solc/package.json').version
  const key = createHash('sha256').update(version + JSON.stringify(input)).digest('hex').slice(0, 32)
  const cached = path.join(cacheFolder, `${key}.json`)
  if (fs.existsSync(cached)) return JSON.parse(fs.readFileSync(cached, 'utf8'))
  const picked = pickContracts(runCompiler(input))
  fs.mkdirSync(cacheFolder, { recursive: true })
  const unfinished = `${cached}.${process.pid}`
  fs.writeFileSync(unfinished, JSON.stringify(picked))
  fs.renameSync(unfinished, cached)
  return picked
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const files = process.argv.slice(2).map((file) => path.relative(root, path.resolve(file)))
  if (files.length === 0) {
    console.error('usage: node scripts/solc.mjs FILE.sol...')
    process.exit(2)
  }
  try {
    for (const [name, { deployedBytecode }] of Object.entries(compile(files))) {
      if (deployedBytecode.length > 2) console.log(`${name}: ${deployedBytecode.length / 2 - 1} bytes`)
    }
  } catch (error) {
    console.error(error.message)
    process.exit(1)
  }
}
