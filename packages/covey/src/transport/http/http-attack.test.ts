import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { createGateway } from '../../gateway/create-gateway.ts'
import { silentLog } from '../../observe/log.ts'
import { createRuntime } from '../../rpc/runtime.ts'
import { curl, type HttpBench, openHttpBench, raw } from '../../testing/fixtures/http-bench.ts'
import { freePort } from '../../testing/free-port.ts'
import { until } from '../../testing/until.ts'

const limited = { timeout: 20_000 }
const json = 'content-type: application/json'

/** A request for `shop.echo` with these further lines of its head, and a body. */
function echo(lines: readonly string[], body = ''): string {
  return ['POST /rpc/shop/echo HTTP/1.1', 'host: a', json, ...lines, '', body].join('\r\n')
}

async function stillServes(bench: HttpBench): Promise<void> {
  assert.deepEqual(await (await bench.post('echo', 'still here')).json(), 'still here')
}

test('a body that trickles is given up, and its connection closed', limited, async () => {
  await using bench = await openHttpBench({ limits: { partialFrameMs: 100 } })
  const answer = await raw(bench.port, echo(['content-length: 10'], '"ab'))
  assert.match(answer, /^HTTP\/1\.1 504 .*not complete within 100 ms/s)
  await stillServes(bench)
})

test('a body that is said to be too large is refused before it is sent', limited, async () => {
  await using bench = await openHttpBench({ limits: { maxFrameBytes: 5_000 } })
  const lines = ['content-length: 6000', 'expect: 100-continue']
  const answer = await raw(bench.port, echo(lines), (text) => text.includes('MESSAGE_TOO_LARGE'))
  assert.match(answer, /^HTTP\/1\.1 413 /)
  const file = ['-H', json, '-H', 'expect: 100-continue', '-d', JSON.stringify('x'.repeat(4_000))]
  const url = `${bench.url}/rpc/shop/echo`
  assert.equal(await curl('-o', '/dev/null', '-w', '%{http_code}', ...file, url), '200')
})

test('an endless body is cut off soon after its refusal', limited, async () => {
  await using bench = await openHttpBench({ limits: { maxFrameBytes: 5_000 } })
  const socket = connect(bench.port, '127.0.0.1')
  socket.on('error', () => {})
  let answer = ''
  socket.on('data', (bytes) => {
    answer += String(bytes)
  })
  socket.write(echo(['transfer-encoding: chunked']))
  const chunk = `1000\r\n${'x'.repeat(0x1000)}\r\n`
  const flood = setInterval(() => void (socket.writable && socket.write(chunk)), 5)
  try {
    // Not by `once` of events, to which a reset would be a failure.
    await new Promise((resolve) => socket.once('close', resolve))
  } finally {
    clearInterval(flood)
  }
  assert.match(answer, /^HTTP\/1\.1 413 /)
  await stillServes(bench)
})

test('a body takes the memory of its bytes, however small its pieces', limited, async () => {
  await using bench = await openHttpBench()
  const types = [
    ['echo', json],
    ['sip', 'content-type: application/x-ndjson'],
  ]
  for (const [method, type] of types) {
    const before = process.memoryUsage().rss
    const socket = connect(bench.port, '127.0.0.1')
    socket.on('error', () => {}).resume()
    const head = [
      `POST /rpc/shop/${method} HTTP/1.1`,
      'host: a',
      type,
      'transfer-encoding: chunked',
    ]
    socket.write(`${head.join('\r\n')}\r\n\r\n`)
    const pieces = '1\r\nx\r\n'.repeat(10_000)
    // A megabyte, which took 400 as an object for each byte.
    for (let sent = 0; sent < 100; sent++) {
      if (!socket.write(pieces)) await new Promise((resolve) => socket.once('drain', resolve))
    }
    const grown = process.memoryUsage().rss - before
    assert.ok(grown < 200_000_000, `${method}: ${Math.round(grown / 1e6)} MB more`)
    socket.destroy()
  }
  await stillServes(bench)
})

test('headers in excess of size or number are refused', limited, async () => {
  await using bench = await openHttpBench()
  const big = await raw(bench.port, echo([`x: ${'y'.repeat(17_000)}`]))
  assert.match(big, /^HTTP\/1\.1 431 /)
  const many = Array.from({ length: 100 }, (_, n) => `x-${n}: 1`)
  const answer = await raw(bench.port, echo([...many, 'connection: close']))
  assert.match(answer, /^HTTP\/1\.1 431 /)
  const metadata = echo([
    `covey-meta-a: ${'y'.repeat(9_000)}`,
    'content-length: 0',
    'connection: close',
  ])
  const baggage = echo([
    `baggage: a=${'y'.repeat(9_000)}`,
    'content-length: 0',
    'connection: close',
  ])
  assert.match(
    await raw(bench.port, baggage),
    /^HTTP\/1\.1 413 .*baggage of 9004 bytes; the limit is 8192/s,
  )
  await using small = await openHttpBench({ limits: { maxMetadataBytes: 8_000 } })
  assert.match(await raw(small.port, metadata), /^HTTP\/1\.1 413 .*metadata of 9004 bytes/s)
  await stillServes(bench)
})

test('requests that two readers could cut differently are refused', limited, async () => {
  await using bench = await openHttpBench()
  const cases = [
    echo(['content-length: 1', 'transfer-encoding: chunked'], '0\r\n\r\n'),
    echo(['content-length: 2', 'content-length: 3'], '"a"'),
    echo(['transfer-encoding: chunked, identity'], '0\r\n\r\n'),
    echo(['transfer-encoding : chunked'], '0\r\n\r\n'),
    echo(['content-length: +2'], '""'),
    echo(['content-length: 2, 2'], '""'),
    echo(['content-length: 0x2'], '""'),
    echo(['content-length: 99999999999999999999'], '""'),
    echo(['transfer-encoding: xchunked'], '0\r\n\r\n'),
    echo(['transfer-encoding: chunked', 'transfer-encoding: gzip'], '0\r\n\r\n'),
    echo(['transfer-encoding: chunked'], 'FFFFFFFFFFFFFFFFF\r\n'),
    echo(['transfer-encoding: chunked'], '-1\r\n""\r\n0\r\n\r\n'),
    echo(['transfer-encoding: chunked'], '0x2\r\n""\r\n0\r\n\r\n'),
    echo(['transfer-encoding: chunked'], '2\n""\r\n0\r\n\r\n'),
    echo(['transfer-encoding: chunked'], '2\r\n"""0\r\n\r\n'),
    echo(['x: a\r\n b', 'content-length: +0']),
    echo(['x: a\0b', 'content-length: 0']),
    echo(['x\0: a', 'content-length: 0']),
    echo(['x: a\rb: c', 'content-length: 0']),
    echo([': a', 'content-length: 0']),
    echo([
      'authorization: Bearer a',
      'authorization: Bearer b',
      'content-length: 0',
      'connection: close',
    ]),
    echo([json, 'content-length: 0', 'connection: close']),
    echo(['content-length: 0', 'host : b', 'connection: close']),
    'POST /rpc/shop/echo\r\nhost: a\r\n\r\n',
    'POST /rpc/shop/echo HTTP/1.1\nhost: a\n\n',
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    echo(['x: a\nb: c', 'content-length: 0']),
    echo(['host: b', 'content-length: 0', 'connection: close']),
    'POST /rpc/shop/echo HTTP/1.1\r\ncontent-length: 0\r\n\r\n',
    'POST /rpc/shop/echo HTTP/1.1\r\nhost: a/b\r\ncontent-length: 0\r\nconnection: close\r\n\r\n',
    'POST /rpc/shop/echo HTTP/9.9\r\nhost: a\r\n\r\n',
  ]
  for (const request of cases) {
    assert.match(await raw(bench.port, request), /^HTTP\/1\.1 (400|505) /, request)
  }
  await stillServes(bench)
})

test('TRACE and CONNECT do nothing', limited, async () => {
  await using bench = await openHttpBench()
  const rest = ' HTTP/1.1\r\nhost: a\r\ncookie: secret\r\nconnection: close\r\n\r\n'
  const trace = await raw(bench.port, `TRACE /rpc/shop/echo${rest}`)
  assert.match(trace, /^HTTP\/1\.1 405 /)
  assert.doesNotMatch(trace, /secret/)
  assert.equal(await raw(bench.port, `CONNECT example.org:80${rest}`), '')
  await stillServes(bench)
})

test(
  'chunked bodies are read whatever their cuts, and requests behind one another are all answered',
  limited,
  async () => {
    await using bench = await openHttpBench()
    const chunked = echo(
      ['transfer-encoding: chunked'],
      '1\r\n"\r\n3\r\nabc\r\n1\r\n"\r\n0\r\n\r\n',
    )
    const last = echo(['content-length: 3', 'connection: close'], '"z"')
    const answers = await raw(bench.port, chunked + chunked + last)
    assert.deepEqual(answers.match(/"(abc|z)"/g), ['"abc"', '"abc"', '"z"'])
    const socket = connect(bench.port, '127.0.0.1')
    let text = ''
    socket.on('data', (bytes) => {
      text += String(bytes)
    })
    for (const byte of echo(['content-length: 3', 'connection: close'], '"a"')) {
      socket.write(byte)
      await new Promise((resolve) => setImmediate(resolve))
    }
    await once(socket, 'close')
    assert.match(text, /"a"$/)
  },
)

test('an upload that breaks off is not run', limited, async () => {
  await using bench = await openHttpBench()
  for (let round = 0; round < 50; round++) {
    const socket = connect(bench.port, '127.0.0.1')
    socket.write(echo(['content-length: 100'], '{"item":'))
    await once(socket, 'connect')
    socket.destroy()
  }
  await until(() => bench.listener.connections === 0, 'all connections are gone')
  assert.equal(bench.seen.hanging, 0)
  await stillServes(bench)
})

test('1,000 callers at once get their own answers', limited, async () => {
  await using bench = await openHttpBench()
  const answers = await Promise.all(
    Array.from({ length: 1_000 }, async (_, n) => {
      const body = JSON.stringify({ n })
      const request = echo([`content-length: ${body.length}`, 'connection: close'], body)
      return (await raw(bench.port, request)).split('\r\n\r\n')[1]
    }),
  )
  assert.deepEqual(
    answers,
    Array.from({ length: 1_000 }, (_, n) => `{"n":${n}}`),
  )
})

test('a connection is kept for 30 seconds of idleness and 1,000 requests', limited, async () => {
  await using bench = await openHttpBench()
  const request = echo(['content-length: 1'], '1')
  const answers = await raw(bench.port, request.repeat(1_100))
  const [first, ...more] = answers.split('HTTP/1.1 ').slice(1)
  assert.match(first!, /^200 .*keep-alive: timeout=30, max=1000/is)
  assert.match(more[998]!, /^200 .*connection: close/is)
  // What was sent behind it is refused and not run.
  assert.ok(more.slice(999).every((answer) => answer.startsWith('503 ')))
  await using gateway = await createGateway({
    context: {
      instance: 'gateway-1',
      runtime: createRuntime({ registry: 'memory:' }),
      log: silentLog,
    },
    port: await freePort(),
    services: [],
    routes: (http) => void http.get('/page', () => 'page'),
  })
  const get = 'GET /page HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n'
  const pages = await raw(Number(new URL(gateway.url).port), get.repeat(1_000))
  assert.equal(pages.split('HTTP/1.1 200').length, 1_001)
})

test('connections over the limit are not taken', limited, async () => {
  await using bench = await openHttpBench({ limits: { maxConnections: 3 } })
  const sockets: Socket[] = []
  for (let n = 0; n < 6; n++) {
    const socket = connect(bench.port, '127.0.0.1')
    socket.on('error', () => {})
    sockets.push(socket)
  }
  await until(
    () => sockets.filter((socket) => socket.destroyed || socket.readableEnded).length === 3,
    'three are cut off',
  )
  assert.equal(bench.listener.connections, 3)
  for (const socket of sockets) socket.destroy()
})

test('a reader that does not take its answer is cut off', limited, async () => {
  await using bench = await openHttpBench({
    limits: { slowReaderMs: 200, maxFrameBytes: 32 * 1024 * 1024 },
  })
  const body = JSON.stringify('x'.repeat(20_000_000))
  const socket = connect(bench.port, '127.0.0.1')
  socket.on('error', () => {})
  socket.pause()
  socket.write(echo([`content-length: ${body.length}`], body))
  await until(() => bench.listener.connections === 1, 'it is there')
  await until(() => bench.listener.connections === 0, 'it is cut off', 10_000)
  socket.destroy()
  await stillServes(bench)
})

test(
  'a sender of lines is held back while its handler waits, and a line has a limit',
  limited,
  async () => {
    await using bench = await openHttpBench({ limits: { maxFrameBytes: 100_000 } })
    const head = [
      'POST /rpc/shop/sip HTTP/1.1',
      'host: a',
      'content-type: application/x-ndjson',
      'content-length: 1000000000',
      '',
      '',
    ].join('\r\n')
    const socket = connect(bench.port, '127.0.0.1')
    socket.on('error', () => {})
    socket.write(head)
    const line = `${JSON.stringify('x'.repeat(50_000))}\n`
    let sent = 0
    const send = () => {
      while (sent < 100_000_000 && socket.write(line)) sent += line.length
    }
    socket.on('drain', send)
    send()
    await until(() => bench.seen.hanging === 1, 'the handler has one')
    let before = -1
    await until(async () => {
      await new Promise((resolve) => setTimeout(resolve, 100))
      const still = sent === before
      before = sent
      return still
    }, 'the sender waits')
    assert.ok(sent < 50_000_000, `${sent} bytes were taken`)
    socket.destroy()
    const long = await raw(
      bench.port,
      head.replace('1000000000', '200000') + 'x'.repeat(200_000),
      (text) => text.includes('}'),
    )
    assert.match(long, /^HTTP\/1\.1 413 .*a line of more than 100000 bytes/s)
    await using slow = await openHttpBench({ limits: { partialFrameMs: 50 } })
    const part = await raw(slow.port, `${head}"half a li`, (text) => text.includes('}'))
    assert.match(part, /^HTTP\/1\.1 504 .*a line was not complete within 50 ms/s)
  },
)
