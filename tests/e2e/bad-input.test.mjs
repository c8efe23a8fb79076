// Whatever comes in over the wire, the node answers with an error or closes, and goes on serving the others.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import net from 'node:net'
import { after, afterEach, before, test } from 'node:test'
import { addresses, isAnvil, post, request, startNode } from './node.mjs'

let node, port

before(async () => {
  node = await startNode()
  port = Number(new URL(node.url).port)
})
after(() => node?.stop())
afterEach(async () => assert.equal((await request(node.url, 'eth_chainId')).result, '0x7a69'))

// Sends raw bytes, waits for the answer's end or so many milliseconds, and gives what came.
function exchange(bytes, { patienceMs = 500, end = false } = {}) {
  return new Promise((resolve, reject) => {
    const chunks = []
    const socket = net.connect(port, '127.0.0.1', () => (end ? socket.end(bytes) : socket.write(bytes)))
    const done = () => (socket.destroy(), resolve(Buffer.concat(chunks).toString()))
    socket.setTimeout(patienceMs, done)
    socket.on('data', (chunk) => chunks.push(chunk))
    socket.on('error', (error) => (['ECONNRESET', 'EPIPE'].includes(error.code) ? done() : reject(error)))
    socket.on('close', done)
  })
}

const http = (body, headers = {}) => {
  const all = { Host: 'localhost', 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body), ...headers }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return Buffer.concat([Buffer.from(`POST / HTTP/1.1\r\n${lines.join('')}\r\n`), Buffer.from(body)])
}
const call = (method, params = []) => JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })

// --- HTTP ------------------------------------------------------------------------------------------

test('a body that is too large is refused', { skip: isAnvil }, async () => {
  const answer = await exchange(http('x', { 'Content-Length': 2 ** 31 }), { patienceMs: 1000 })
  assert.match(answer, /^HTTP\/1\.1 413 /)
})

test('a large body that is allowed is answered', { skip: isAnvil }, async () => {
  const data = '0x' + '00'.repeat(1 << 20)
  const { json } = await post(node.url, call('web3_sha3', [data]))
  assert.match(json.result ?? '', /^0x[0-9a-f]{64}$/)
})

test('a body that ends early, or never comes, blocks nobody', async () => {
  const open = Array.from({ length: 50 }, () => exchange(http('{"jsonrpc":', { 'Content-Length': 1000 }), { patienceMs: 300 }))
  assert.equal((await request(node.url, 'eth_chainId')).result, '0x7a69')
  await Promise.all(open)
  await exchange(http('{"jsonrpc":', { 'Content-Length': 1000 }), { end: true })
})

test('a sender that trickles is waited for, and others are served meanwhile', async () => {
  const whole = http(call('eth_chainId'))
  const answer = new Promise((resolve, reject) => {
    const socket = net.connect(port, '127.0.0.1')
    socket.on('error', reject)
    socket.on('data', (data) => (socket.destroy(), resolve(data.toString())))
    let at = 0
    const timer = setInterval(() => {
      socket.write(whole.subarray(at, at + 20))
      at += 20
      if (at >= whole.length) clearInterval(timer)
    }, 10)
  })
  assert.equal((await request(node.url, 'eth_chainId')).result, '0x7a69')
  assert.match(await answer, /"0x7a69"/)
})

test('chunked bodies are read', async () => {
  const body = call('eth_chainId')
  const chunks = body.match(/.{1,7}/g).map((part) => `${part.length.toString(16)}\r\n${part}\r\n`).join('')
  const head = 'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n'
  assert.match(await exchange(Buffer.from(`${head}${chunks}0\r\n\r\n`)), /"0x7a69"/)
})

test('requests that are sent ahead are answered in order', async () => {
  const bodies = [1, 2, 3, 4, 5].map((id) => http(JSON.stringify({ jsonrpc: '2.0', id, method: 'eth_chainId', params: [] })))
  const answers = await exchange(Buffer.concat(bodies))
  assert.deepEqual([...answers.matchAll(/"id":\s*(\d)/g)].map(([, id]) => Number(id)), [1, 2, 3, 4, 5])
})

test('what is no HTTP is refused or dropped', async () => {
  for (const bytes of ['\0\0\0\0\0\0\0\0', 'GET', 'BLAH / HTTP/9.9\r\n\r\n', '\x16\x03\x01\x02\x00\x01\x00', 'POST / HTTP/1.1\r\nContent-Length: -5\r\n\r\n', 'POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 7\r\n\r\nabcde']) {
    const answer = await exchange(Buffer.from(bytes, 'latin1'), { patienceMs: 200 })
    assert.ok(answer === '' || /^HTTP\/1\.[01] [45]/.test(answer), answer.slice(0, 80))
  }
})

test('endless headers are cut off', { skip: isAnvil }, async () => {
  const answer = await exchange(Buffer.from('POST / HTTP/1.1\r\n' + `X-Filler: ${'y'.repeat(1000)}\r\n`.repeat(1000)), { patienceMs: 1000 })
  assert.ok(answer === '' || /^HTTP\/1\.1 4/.test(answer), answer.slice(0, 80))
})

test('methods other than POST and OPTIONS are refused', { skip: isAnvil }, async () => {
  for (const method of ['PUT', 'DELETE', 'PATCH']) {
    const { status } = await fetch(node.url, { method })
    assert.ok(status >= 400 && status < 500, `${method}: ${status}`)
  }
})

test('three hundred connections at a time', async () => {
  const answers = await Promise.all(Array.from({ length: 300 }, () => exchange(http(call('eth_chainId'), { Connection: 'close' }), { patienceMs: 5000 })))
  for (const answer of answers) assert.match(answer, /"0x7a69"/)
})

// --- JSON ------------------------------------------------------------------------------------------

test('broken JSON is a parse error', { skip: isAnvil }, async () => {
  const broken = [
    '', '{', '}', '[', 'nul', '{"a":}', '{"a" 1}', '[1,]', '"\\u12"', '{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}}', '01',
    '\ufeff{}', '{"id":1,"id":NaN}', "{'id':1}", '"unterminated', '\u0000',
  ]
  for (const body of broken) {
    const { json, status } = await post(node.url, body)
    assert.ok(json === undefined ? status >= 400 : json.error?.code === -32700, `${JSON.stringify(body)}: ${status} ${JSON.stringify(json)}`)
  }
})

test('invalid UTF-8 is a parse error', { skip: isAnvil }, async () => {
  for (const bad of [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe2, 0x82]]) {
    const body = Buffer.concat([Buffer.from('{"jsonrpc":"2.0","id":"'), Buffer.from(bad), Buffer.from('","method":"eth_chainId","params":[]}')])
    const answer = await exchange(http(body))
    assert.match(answer, /-32700|HTTP\/1\.1 400/, bad.join())
  }
})

test('deep JSON is refused, not followed', { skip: isAnvil }, async () => {
  for (const depth of [1000, 100_000, 2_000_000]) {
    for (const [open, close] of [['[', ']'], ['{"a":', '}']]) {
      const body = `{"jsonrpc":"2.0","id":1,"method":"eth_call","params":${open.repeat(depth)}1${close.repeat(depth)}}`
      if (body.length > 5e6 && open.length > 1) continue
      const answer = await exchange(http(body), { patienceMs: 3000 })
      assert.match(answer, /"error"|HTTP\/1\.1 4/, `${depth} of ${open}`)
    }
  }
})

test('a batch has a limit, and says so', { skip: isAnvil }, async () => {
  const item = { jsonrpc: '2.0', id: 1, method: 'eth_chainId', params: [] }
  const { json } = await post(node.url, Array.from({ length: 50_000 }, () => item))
  const error = Array.isArray(json) ? json[0].error : json.error
  assert.match(error.message, /batch/)
  const fine = await post(node.url, Array.from({ length: 100 }, (_, id) => ({ ...item, id })))
  assert.equal(fine.json.length, 100)
})

test('numbers that JSON can write but nobody means', { skip: isAnvil }, async () => {
  for (const number of ['1e400', '-1', '1.5', '99999999999999999999999999', '1e-7']) {
    const { json } = await post(node.url, `{"jsonrpc":"2.0","id":1,"method":"eth_getBlockByNumber","params":[${number},false]}`)
    assert.ok(json.error, number)
    assert.ok([-32602, -32700].includes(json.error.code), `${number}: ${json.error.code}`)
  }
})

// --- parameters --------------------------------------------------------------------------------------

test('wrong types and ranges get -32602 and the place of the fault', { skip: isAnvil }, async () => {
  const [alice] = addresses
  const nonsense = [
    ['eth_getBalance', [5, 'latest']],
    ['eth_getBalance', [alice + '00', 'latest']],
    ['eth_getBalance', [alice.replace('f', 'g'), 'latest']],
    ['eth_getBalance', [alice, 'newest']],
    ['eth_getBalance', [alice, '0x10000000000000000']],
    ['eth_getBalance', [alice, { blockHash: '0x12' }]],
    ['eth_getBalance', { address: alice }],
    ['eth_getStorageAt', [alice, '0x1' + '0'.repeat(64), 'latest']],
    ['eth_getBlockByNumber', ['latest', 'yes']],
    ['eth_getBlockByHash', ['0x1234', false]],
    ['eth_call', ['text', 'latest']],
    ['eth_call', [{ to: alice, gas: '0x10000000000000000' }, 'latest']],
    ['eth_call', [{ to: alice, value: '-0x1' }, 'latest']],
    ['eth_call', [{ to: alice, value: '0x1' + '0'.repeat(64) }, 'latest']],
    ['eth_call', [{ to: alice, data: '0x123' }, 'latest']],
    ['eth_call', [{ to: alice, data: '0x12', input: '0x34' }, 'latest']],
    ['eth_call', [{ to: alice }, 'latest', { [alice]: { balance: 'rich' } }]],
    ['eth_call', [{ to: alice, gasPrice: '0x1', maxFeePerGas: '0x1' }, 'latest']],
    ['eth_getLogs', [{ topics: ['0x12'] }]],
    ['eth_getLogs', [{ topics: [null, null, null, null, null] }]],
    ['eth_getLogs', [{ address: 'nowhere' }]],
    ['eth_getLogs', []],
    ['eth_feeHistory', ['0x1', 'latest', [101]]],
    ['eth_feeHistory', ['0x1', 'latest', [60, 50]]],
    ['eth_sendRawTransaction', []],
    ['eth_getTransactionByHash', ['0x' + 'zz'.repeat(32)]],
    ['debug_traceTransaction', ['0x12']],
    ['evm_setNextBlockTimestamp', ['soon']],
    ['eth_signTypedData_v4', [alice, '{"broken']],
  ]
  for (const [method, params] of nonsense) {
    const answer = await request(node.url, method, params)
    assert.ok(answer.error, `${method} ${JSON.stringify(params)} was answered: ${JSON.stringify(answer.result)}`)
    assert.ok([-32602, -32000].includes(answer.error.code), `${method} ${JSON.stringify(params)}: ${answer.error.code} ${answer.error.message}`)
    assert.ok(answer.error.message.length > 5)
  }
})

test('ten thousand bad requests cost no memory', { skip: isAnvil || !fs.existsSync('/proc/self/smaps_rollup') }, async () => {
  const kib = () => Number(/^Private_Dirty:\s+(\d+)/m.exec(fs.readFileSync(`/proc/${node.pid}/smaps_rollup`, 'utf8'))[1])
  const storm = async () => {
    for (let i = 0; i < 50; i++) {
      const batch = Array.from({ length: 100 }, (_, id) => ({ jsonrpc: '2.0', id, method: 'eth_call', params: [{ to: 'x'.repeat(100) }] }))
      await post(node.url, batch)
    }
  }
  await storm()
  const before = kib()
  await storm()
  assert.ok(kib() - before < 1024, `grew by ${kib() - before} KiB`)
})
