// What surrounds a running node: its log, its sandbox, and how it ends.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { root } from '../../scripts/solc.mjs'
import { attended, isAnvil, launch, letGo, request } from './node.mjs'

const binary = path.join(process.env.ASHLAR_BIN ?? path.join(root, 'build', 'bin'), 'ashlar-node')

// Starts `ashlar-node dev` on a port of its choice; stop() ends it and gives code, signal, duration and what it logged.
async function start(...args) {
  const child = launch(binary, ['dev', '--port=0', ...args])
  let log = '', out = ''
  child.stderr.on('data', (chunk) => (log += chunk))
  const ended = new Promise((resolve) => child.on('close', (code, signal) => resolve({ code, signal })))
  const url = await new Promise((resolve, reject) => {
    child.stdout.on('data', (chunk) => {
      out += chunk
      const match = /http:\S+/.exec(out)
      if (match) resolve(match[0])
    })
    ended.then(() => reject(new Error(log)))
  })
  const stop = async () => {
    const began = performance.now()
    child.kill('SIGTERM')
    return { ...(await attended(child, ended)), ms: performance.now() - began, log }
  }
  letGo(child)
  return { url, pid: child.pid, stop, ended }
}

test('the log speaks the format and level asked for', { skip: isAnvil }, async () => {
  const node = await start('--log=warn,node=debug', '--log-format=json')
  const { log, code } = await node.stop()
  assert.equal(code, 0)
  const lines = log.trim().split('\n').map((line) => JSON.parse(line))
  assert.deepEqual(lines.map((line) => line.msg), ['started', 'stopping', 'stopped'])
  assert.ok(lines.every((line) => line.room === 'node' && line.level === 'debug' && /^\d{4}-\d\d-\d\dT.*Z$/.test(line.time)))
})

test('a log level that is not known is refused with what was meant', { skip: isAnvil }, async () => {
  await assert.rejects(start('--log=rpc=debgu'), /--log: "debgu" is not a log level; did you mean "debug"\?/)
  await assert.rejects(start('--log-format=xml'), /--log-format is text, logfmt or json, not "xml"/)
})

test('SIGTERM ends the node in less than a second', { skip: isAnvil }, async () => {
  const node = await start()
  await request(node.url, 'eth_chainId')
  const { code, signal, ms } = await node.stop()
  assert.deepEqual({ code, signal }, { code: 0, signal: null })
  assert.ok(ms < 1000, `${ms} ms`)
})

test('a running node is in its sandbox, and all precompiles work there', { skip: isAnvil }, async (t) => {
  const node = await start()
  const status = fs.readFileSync(`/proc/${node.pid}/status`, 'utf8')
  if (/asan|tsan|cov/.test(binary)) t.skip('no sandbox in this build')
  else assert.match(status, /^NoNewPrivs:\t1\nSeccomp:\t2$/m)
  // EIP-4844's point evaluation of the zero polynomial: the trusted setup is read on first use.
  const infinity = 'c0' + '00'.repeat(47)
  const data = '0x010657f37554c781402a22917dee2f75def7ab966d7b770905398eba3c444014' + '00'.repeat(64) + infinity + infinity
  const { result } = await request(node.url, 'eth_call', [{ to: '0x000000000000000000000000000000000000000a', data }, 'latest'])
  assert.equal(result, '0x' + '1000'.padStart(64, '0') + '73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001')
  await node.stop()
})

test('/metrics is there when asked for, in the form Prometheus reads', { skip: isAnvil }, async () => {
  const node = await start('--metrics')
  await request(node.url, 'eth_blockNumber')
  await request(node.url, 'eth_noSuchMethod')
  const response = await fetch(`${node.url}/metrics`)
  assert.equal(response.status, 200)
  assert.match(response.headers.get('content-type'), /^text\/plain; version=0\.0\.4/)
  const text = await response.text()
  for (const line of text.trim().split('\n'))
    assert.match(line, /^(# (HELP|TYPE) [a-z0-9_]+ .+|[a-z0-9_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? [0-9.]+)$/, line)
  assert.match(text, /^ashlar_chain_head_number 0$/m)
  assert.match(text, /^ashlar_rpc_requests_total\{class="eth"\} 2$/m)
  assert.match(text, /^ashlar_rpc_errors_total\{class="eth"\} 1$/m)
  assert.match(text, /^ashlar_rpc_request_duration_seconds_bucket\{class="eth",le="\+Inf"\} 2$/m)
  assert.match(text, /^process_resident_memory_bytes [1-9]\d+$/m)
  const families = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name)
  assert.equal(new Set(families).size, families.length)
  await node.stop()
})

test('/livez and /readyz say how the node is, with reasons', { skip: isAnvil }, async () => {
  const node = await start()
  const get = async (target) => {
    const response = await fetch(node.url + target)
    return { status: response.status, text: await response.text() }
  }
  assert.deepEqual(await get('/livez'), { status: 200, text: 'ok\n' })
  assert.deepEqual(await get('/readyz'), { status: 200, text: 'ok\n' })
  assert.deepEqual(JSON.parse((await get('/readyz?verbose')).text), {
    ok: true,
    checks: [
      { name: 'chain', ok: true, reason: 'block 0 is the head' },
      { name: 'store', ok: true, reason: 'whole' },
    ],
  })
  assert.doesNotMatch((await get('/metrics')).text, /ashlar_/)
  await node.stop()
})

test('admin_logLevel changes what is logged while the node runs', { skip: isAnvil }, async () => {
  const node = await start('--log-format=logfmt')
  const level = async (...params) => request(node.url, 'admin_logLevel', params)
  assert.match((await level()).result, /^node=info,rpc=info,/)
  await level('rpc=debug')
  await request(node.url, 'eth_\u001b[31m')
  assert.match((await level('warn,node=debug')).result, /^node=debug,rpc=warn,/)
  assert.match((await level('node=loud')).error.message, /"loud" is not a log level/)
  const { log } = await node.stop()
  assert.match(log, /room=rpc msg="a request failed" method="eth_\\x1b\[31m" took=\d\.\d+ code=-32601 why="the method/)
  assert.match(log, /level=debug room=node msg="stopping"/)
})
