// Settings from flags, environment and file, what `config show` says of them, and what is made of the same table.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { root } from '../../scripts/solc.mjs'

const bin = process.env.ASHLAR_BIN ?? path.join(root, 'build', 'bin')
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'ashlar-config-'))
after(() => fs.rmSync(folder, { recursive: true }))

const run = (args, env = {}) =>
  spawnSync(path.join(bin, 'ashlar-node'), args, { encoding: 'utf8', env: { ...process.env, ...env } })
const file = (text) => {
  const name = path.join(folder, 'node.yaml')
  fs.writeFileSync(name, text)
  return name
}

test('flags win over the environment, that over the file, that over the default', () => {
  const name = file('port: 1\nchain-id: 1\nbase-fee: 1\ndev:\n  cors: [https://a.example, https://b.example]\n')
  const { stdout, status } = run(['config', 'show', 'dev', '--config', name, '--port=3'], { ASHLAR_PORT: '2', ASHLAR_CHAIN_ID: '2' })
  assert.equal(status, 0)
  const lines = Object.fromEntries(stdout.trim().split('\n').map((line) => line.split(/: (.*)/)))
  assert.match(lines.port, /^3 +# --port$/)
  assert.match(lines['chain-id'], /^2 +# ASHLAR_CHAIN_ID$/)
  assert.ok(lines['base-fee'].startsWith('1 ') && lines['base-fee'].endsWith(`# ${name}:3`))
  assert.equal(lines.cors, `"https://a.example,https://b.example" # ${name}:5`)
  assert.match(lines['gas-limit'], /# default$/)
})

test('what config show prints is a configuration file', () => {
  const { stdout } = run(['config', 'show', 'dev', '--accounts=4', '--mnemonic', 'a "b"\\'])
  const name = file(stdout.replace(/^config:.*\n/m, ''))
  const again = run(['config', 'show', 'dev', '--config', name]).stdout
  const values = (text) => text.replace(/ *# .*$/gm, '').replace(/^config:.*\n/m, '')
  assert.equal(values(again), values(stdout))
})

test('mistakes in the file are named with line and the likely meaning', () => {
  const name = file('\nprot: 1\n')
  const { stderr, status } = run(['dev', '--config', name])
  assert.equal(status, 2)
  assert.equal(stderr, `ashlar dev: ${name}:2: prot: there is no such setting; did you mean port?\n`)
  assert.match(run(['dev', '--config', path.join(folder, 'absent')]).stderr, /absent/)
})

test('a time without a digit is none', () => {
  for (const time of ['.', '']) {
    const words = ['dev', '--port', '0', '--block-time', time]
    const done = spawnSync(path.join(bin, 'ashlar-node'), words, { encoding: 'utf8', timeout: 3000 })
    assert.equal(done.status, 2)
    assert.match(done.stderr, /--block-time .*: a number of seconds is needed/)
  }
})

test('values that cannot be understood are mistakes of usage', () => {
  const cases = [
    [['--log', 'rpc=debgu'], /--log: "debgu" is not a log level/],
    [['--log-format', 'xml'], /--log-format is text, logfmt or json, not "xml"/],
    [['--history', '0'], /--history/],
  ]
  const commands = [
    ['dev', ['--port', '0'], '--host'],
    ['run', ['--data', path.join(folder, 'none')], '--http.host'],
  ]
  for (const [command, needed, host] of commands)
    for (const [words, error] of [...cases, [[host, 'nohost'], /"nohost" is not an IP address to listen on/]]) {
      const all = [command, ...needed, ...words]
      const done = spawnSync(path.join(bin, 'ashlar-node'), all, { encoding: 'utf8', timeout: 3000 })
      assert.deepEqual([done.status, error.test(done.stderr)], [2, true], `${all}: ${done.stderr}`)
    }
})

test('a bad --memory is named by where it comes from', () => {
  const where = ['--data', path.join(folder, 'none')]
  const name = file('\nmemory: 1x\n')
  for (const words of [['dev', ...where], ['run', ...where], ['import', ...where, 'none.rlp']]) {
    const program = words[0] === 'dev' ? 'ashlar dev' : `ashlar-node ${words[0]}`
    const said = (blame, { stderr, status }) =>
      assert.deepEqual([stderr, status], [`${program}: ${blame}--memory 1x: a size is needed, like 256M or 2G\n`, 2])
    said('', run([...words, '--memory', '1x']))
    said('ASHLAR_MEMORY: ', run(words, { ASHLAR_MEMORY: '1x' }))
    said(`${name}:2: `, run([...words, '--config', name]))
  }
})

test('manual pages and completions are made from the programs', () => {
  const made = spawnSync(path.join(root, 'packaging', 'generate'), [bin, folder], { encoding: 'utf8' })
  assert.equal(made.status, 0, made.stderr)
  assert.match(fs.readFileSync(path.join(folder, 'man', 'ashlar-node-dev.1'), 'utf8'), /\\fB\\-\\-chain\\-id\\fR \\fIN\\fR/)
  const script = `source ${folder}/completions/ashlar-node.bash; COMP_WORDS=(ashlar-node dev --chain); COMP_CWORD=2; _ashlar_node; echo "\${COMPREPLY[@]}"`
  assert.equal(spawnSync('bash', ['-c', script], { encoding: 'utf8' }).stdout, '--chain-id\n')
  assert.match(fs.readFileSync(path.join(folder, 'completions', 'ashlar-node.fish'), 'utf8'), /-l chain-id -r/)
})

test('bash completes the words that commands begin with', () => {
  const made = spawnSync(path.join(root, 'packaging', 'generate'), [bin, folder], { encoding: 'utf8' })
  assert.equal(made.status, 0, made.stderr)
  fs.writeFileSync(path.join(folder, 'sta.json'), '')
  const complete = (...words) => {
    const script = `source completions/ashlar-node.bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _ashlar_node; echo "\${COMPREPLY[@]}"`
    return spawnSync('bash', ['-c', script, 'bash', ...words], { encoding: 'utf8', cwd: folder }).stdout.trim()
  }
  assert.equal(complete('ashlar-node', 'db', ''), 'stats verify compact')
  assert.equal(complete('ashlar-node', 'db', 'sta'), 'stats')
  assert.equal(complete('ashlar', 'node', 'db', 'v'), 'verify')
  assert.equal(complete('ashlar-node', 'db', '--d'), '--data')
  assert.equal(complete('ashlar-node', 'genesis', 'c'), 'check')
  assert.equal(complete('ashlar-node', 'genesis', 'check', 'sta'), 'sta.json')
  assert.equal(complete('ashlar-node', 'config', 'show', ''), 'dev init import export run db')
  assert.equal(complete('ashlar-node', 'import', 'sta'), 'sta.json')
})
