import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import { CoveyError } from '../../error/covey-error.ts'
import { curl, openHttpBench, raw } from '../../testing/fixtures/http-bench.ts'
import { until } from '../../testing/until.ts'
import { msgpackBody } from './body-codec.ts'

const limited = { timeout: 20_000 }

test('JSON in, JSON out, over connections that are used again', limited, async () => {
  await using bench = await openHttpBench()
  const url = `${bench.url}/rpc/shop/price`
  const args = ['-H', 'content-type: application/json', '-d', '{"item":"tea","count":2}']
  const out = await curl(
    '-w',
    '%{num_connects} ',
    ...args,
    url,
    '--next',
    '-sS',
    '-w',
    '%{num_connects}',
    ...args,
    url,
  )
  assert.equal(out, '{"cents":500}1 {"cents":500}0')
})

test('nothing is 204; null is null; no body is no input', limited, async () => {
  await using bench = await openHttpBench()
  const nothing = await fetch(`${bench.url}/rpc/shop/nothing`, { method: 'POST' })
  assert.equal(nothing.status, 204)
  assert.equal(await nothing.text(), '')
  const none = await bench.post('echo', null)
  assert.equal(none.status, 200)
  assert.equal(await none.text(), 'null')
  assert.equal(none.headers.get('cache-control'), 'no-store')
  assert.equal(none.headers.get('x-content-type-options'), 'nosniff')
})

test(
  'values that JSON has no form for are written in the usual one; MessagePack keeps them',
  limited,
  async () => {
    await using bench = await openHttpBench()
    assert.deepEqual(await (await bench.post('rich', null)).json(), {
      at: '1970-01-01T00:00:00.000Z',
      bytes: 'AQI=',
      big: '5',
      set: [1],
    })
    const packed = await fetch(`${bench.url}/rpc/shop/echo`, {
      method: 'POST',
      headers: { 'content-type': 'application/msgpack' },
      body: new Uint8Array(msgpackBody.encode({ big: 2n ** 70n, bytes: new Uint8Array([7]) })),
    })
    assert.equal(packed.headers.get('content-type'), 'application/msgpack')
    assert.deepEqual(msgpackBody.decode(new Uint8Array(await packed.arrayBuffer())), {
      big: 2n ** 70n,
      bytes: new Uint8Array([7]),
    })
  },
)

test('errors are problems with code, detail, details and status', limited, async () => {
  await using bench = await openHttpBench()
  const declared = await bench.post('price', { item: 'ink' })
  assert.equal(declared.status, 400)
  assert.equal(declared.headers.get('content-type'), 'application/problem+json')
  assert.deepEqual(await declared.json(), {
    type: 'about:blank',
    title: 'NO_SUCH_ITEM',
    status: 400,
    code: 'NO_SUCH_ITEM',
    detail: 'shop.price: NO_SUCH_ITEM',
    details: { item: 'ink' },
  })
  const busy = await bench.post('busy', null)
  assert.equal(busy.status, 429)
  assert.equal(busy.headers.get('retry-after'), '2')
  const wrong = await bench.post('price', { item: 7 })
  assert.equal(wrong.status, 422)
  assert.match(((await wrong.json()) as { detail: string }).detail, /shop\.price input: item: /)
})

/** Status, and the code of the problem. */
async function outcome(answer: Response): Promise<string> {
  const { code } = (await answer.json()) as { code: string }
  return `${answer.status} ${code}`
}

test('what is no call is refused with what to do', limited, async () => {
  await using bench = await openHttpBench({ limits: { maxFrameBytes: 20_000 } })
  const unknown = await bench.post('prise', {})
  assert.equal(unknown.status, 404)
  const problem = (await unknown.json()) as { code: string; detail: string }
  assert.equal(problem.code, 'UNIMPLEMENTED')
  assert.match(problem.detail, /did you mean shop\.price\?/)
  const url = `${bench.url}/rpc/shop/price`
  const get = await fetch(url)
  assert.equal(get.headers.get('allow'), 'POST')
  assert.equal(await outcome(get), '405 PROTOCOL_ERROR')
  for (const method of ['PUT', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD']) {
    assert.equal((await fetch(url, { method })).status, 405, method)
  }
  const post = (type: string, body: string, headers = {}) =>
    fetch(url, { method: 'POST', headers: { 'content-type': type, ...headers }, body })
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data']) {
    assert.equal(await outcome(await post(type, '{"item":"tea"}')), '415 PROTOCOL_ERROR', type)
  }
  const zipped = await post('application/json', '{}', { 'content-encoding': 'gzip' })
  assert.equal(await outcome(zipped), '415 PROTOCOL_ERROR')
  const large = await post('application/json', JSON.stringify({ item: 'x'.repeat(30_000) }))
  assert.equal(await outcome(large), '413 MESSAGE_TOO_LARGE')
  const late = await post('application/json', '{}', { 'covey-timeout-ms': 'soon' })
  assert.equal(late.status, 400)
  assert.match(((await late.json()) as { detail: string }).detail, /covey-timeout-ms/)
})

test('what is mistyped beside the body is refused with what was meant', limited, async () => {
  await using bench = await openHttpBench()
  const said = async (path: string, headers: Record<string, string> = {}, method = 'POST') => {
    const init = { method, headers: { 'content-type': 'application/json', ...headers } }
    const body = method === 'POST' ? { body: '{"item":"tea"}' } : {}
    const answer = await fetch(`${bench.url}/rpc/${path}`, { ...init, ...body })
    const { detail } = (await answer.json()) as { detail?: string }
    return `${answer.status} ${detail}`
  }
  assert.equal(
    await said('shop/price', { 'covey-timeout': '50' }),
    '400 no header covey-timeout here; did you mean covey-timeout-ms?',
  )
  assert.equal(
    await said('shop/price?mod=submit'),
    '400 no query parameter mod here; did you mean mode?',
  )
  assert.equal(
    await said('batch?mod=submit'),
    '400 no query parameter mod here; did you mean mode?',
  )
  assert.equal(
    await said('results/x?waitms=10', {}, 'GET'),
    '400 no query parameter waitms here; did you mean waitMs?',
  )
  const long = await said(`shop/price?${'x'.repeat(5_000)}`)
  assert.equal(long, `400 no query parameter ${'x'.repeat(60)} here`)
  assert.match(await said('shop/price?mode=wait', { 'covey-meta-a': 'b', 'x-covey': '1' }), /^200/)
  assert.match(
    await said('shop/price', {
      'content-type': 'application/msgpack',
      accept: 'application/json, application/problem+json',
      'covey-new': '1',
    }),
    /malformed msgpack/,
    'clients of ours may know more',
  )
})

test('malformed JSON is 400 and says where', limited, async () => {
  await using bench = await openHttpBench()
  const send = async (body: string) => {
    const headers = { 'content-type': 'application/json; charset=utf-8' }
    const answer = await fetch(`${bench.url}/rpc/shop/echo`, { method: 'POST', headers, body })
    const problem = (await answer.json()) as { code?: string; detail?: string }
    return answer.status === 200 ? '200' : `${answer.status} ${problem.code}: ${problem.detail}`
  }
  const cases: [string, RegExp][] = [
    ['{"a":1,}', /^400 INVALID_INPUT: malformed JSON: .*position 7/],
    ['{"a":1,"a":2}', /^400 INVALID_INPUT: .*key "a" stands twice/],
    ['[{"a":{"b":1,"\\u0062":2}}]', /^400 INVALID_INPUT: .*key "b" stands twice/],
    ['{"__proto__":{"x":1}}', /^400 INVALID_INPUT: .*__proto__/],
    ['['.repeat(100) + ']'.repeat(100), /^400 INVALID_INPUT: .*nested deeper/],
    ['{"a":{"a":1},"b":{"a":"a\\":"},"c":["a","a"]}', /^200$/],
  ]
  for (const [body, expected] of cases) assert.match(await send(body), expected, body)
  const bytes = await fetch(`${bench.url}/rpc/shop/echo`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: new Uint8Array([0x22, 0xc3, 0x28, 0x22]),
  })
  assert.equal(await outcome(bytes), '400 INVALID_INPUT')
})

test('only a path that is exactly that of a method leads to it', limited, async () => {
  await using bench = await openHttpBench()
  const tricks = [
    '/rpc/shop/price/..',
    '/rpc/shop/../shop/price',
    '/rpc/shop/%70rice',
    '/rpc/shop%2fprice',
    '/rpc//shop/price',
    '/rpc/shop/price/',
    '/rpc/shop/.price',
    '/rpc/shop/price%00',
    '/rpc/shop/constructor',
    '/rpc/__proto__/toString',
    '/RPC/shop/price',
    '//rpc/shop/price',
    `http://127.0.0.1/rpc/shop/price`,
    `/rpc/shop/${'x'.repeat(8_000)}`,
  ]
  for (const path of tricks) {
    const request = `POST ${path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`
    assert.match(await raw(bench.port, request), /^HTTP\/1\.1 404 /, path)
  }
})

test('deadline, metadata, trace and identity travel in headers', limited, async () => {
  const authenticate = async (credential: string | undefined) => {
    if (credential === 'good') return { subject: 'ada', claims: {} }
    throw new CoveyError('UNAUTHENTICATED', 'who are you?')
  }
  await using bench = await openHttpBench({ authenticate })
  const trace = '4bf92f3577b34da6a3ce929d0e0e4736'
  const seen = await bench.post('who', null, {
    authorization: 'Bearer good',
    'covey-timeout-ms': '900',
    'covey-meta-tag': 'gr%C3%BCn%25',
    traceparent: `00-${trace}-00f067aa0ba902b7-01`,
    tracestate: 'rojo=00f067aa0ba902b7 , congo=t61',
  })
  const { leftMs, connection, ...rest } = (await seen.json()) as Record<string, unknown>
  assert.deepEqual(rest, {
    subject: 'ada',
    tag: 'grün%',
    trace,
    state: 'rojo=00f067aa0ba902b7,congo=t61',
    protocol: 'http',
  })
  assert.ok((leftMs as number) <= 900 && (leftMs as number) > 500, `${leftMs}`)
  assert.match(String(connection), /^shop-1\/http-\d+$/)
  for (const headers of [{}, { authorization: 'Bearer bad' }, { authorization: 'Basic good' }]) {
    const refused = await bench.post('who', null, headers as Record<string, string>)
    assert.equal(refused.headers.get('www-authenticate'), 'Bearer')
    assert.equal(await outcome(refused), '401 UNAUTHENTICATED')
  }
  const preferred = await bench.post('who', null, {
    authorization: 'Bearer good',
    prefer: 'wait=2',
  })
  const { leftMs: left } = (await preferred.json()) as { leftMs: number }
  assert.ok(left <= 2_000 && left > 1_000, `${left}`)
})

test('a place in a trace that is not as it has to be is none, and no error', limited, async () => {
  await using bench = await openHttpBench()
  const [trace, span] = ['4bf92f3577b34da6a3ce929d0e0e4736', '00f067aa0ba902b7']
  const none = [
    `00-${trace}-${span}`,
    `00-${trace}-${span}-01-more`,
    `00-${trace.toUpperCase()}-${span}-01`,
    `00-${'0'.repeat(32)}-${span}-01`,
    `00-${trace}-${'0'.repeat(16)}-01`,
    `ff-${trace}-${span}-01`,
    `01-${trace}-${span}-01more`,
    `00-${trace}-${span}-01, 00-${trace}-${span}-01`,
  ]
  for (const traceparent of none) {
    const seen = await bench.post('who', null, { traceparent, tracestate: 'a=1' })
    const { trace: other, state } = (await seen.json()) as Record<string, unknown>
    assert.notEqual(other, trace, traceparent)
    assert.equal(state, '')
  }
  const traceparent = `cc-${trace}-${span}-01-what the future brings`
  const seen = await bench.post('who', null, { traceparent, tracestate: 'a=1,A=2' })
  const next = (await seen.json()) as Record<string, unknown>
  assert.deepEqual([next.trace, next.state], [trace, ''])
  // Several headers are one list.
  const lines = ['tracestate: a=1', 'tracestate: b=2', `traceparent: 00-${trace}-${span}-00`]
  const head = ['POST /rpc/shop/who HTTP/1.1', 'host: a', 'connection: close', 'content-length: 0']
  const answer = await raw(bench.port, `${[...head, ...lines].join('\r\n')}\r\n\r\n`)
  assert.match(answer, /"state":"a=1,b=2"/)
})

test('without a header the contract says how long a call may take', limited, async () => {
  await using bench = await openHttpBench()
  const hang = await bench.post('hang', null, { 'covey-timeout-ms': '30' })
  assert.equal(await outcome(hang), '504 DEADLINE_EXCEEDED')
  await until(() => bench.seen.aborted === 1, 'the handler saw its signal abort')
  const { leftMs } = (await (await bench.post('who', null)).json()) as { leftMs: number }
  assert.ok(leftMs <= 5_000, `${leftMs}`)
})

test('a caller that goes cancels its call', limited, async () => {
  await using bench = await openHttpBench()
  const abort = new AbortController()
  const call = fetch(`${bench.url}/rpc/shop/hang`, { method: 'POST', signal: abort.signal })
  await until(() => bench.seen.hanging === 1, 'the handler runs')
  abort.abort()
  await assert.rejects(call)
  await until(() => bench.seen.aborted === 1, 'the handler saw its signal abort')
})

test('streams are lines, each with what it is', limited, async () => {
  await using bench = await openHttpBench()
  const count = await bench.post('count', { to: 3 })
  assert.equal(count.headers.get('content-type'), 'application/x-ndjson')
  assert.equal(await count.text(), '{"item":1}\n{"item":2}\n{"item":3}\n{"end":true}\n')
  const broken = await bench.post('broken', null)
  assert.equal(broken.status, 200)
  assert.equal(
    await broken.text(),
    '{"item":1}\n{"error":{"code":"FAILED_PRECONDITION","message":"no more","details":{"after":1}}}\n',
  )
  assert.equal(await outcome(await bench.post('count', { to: 'x' })), '422 INVALID_INPUT')
})

test('streams are events for those who ask for them', limited, async () => {
  await using bench = await openHttpBench()
  const events = await bench.post('count', { to: 2 }, { accept: 'text/event-stream' })
  assert.equal(events.headers.get('content-type'), 'text/event-stream')
  const expected = 'event: item\ndata: 1\n\nevent: item\ndata: 2\n\nevent: end\ndata: {}\n\n'
  assert.equal(await events.text(), expected)
})

test(
  'a reader of lines that waits holds the handler back, and one that goes ends it',
  limited,
  async () => {
    await using bench = await openHttpBench()
    const abort = new AbortController()
    const answer = await fetch(`${bench.url}/rpc/shop/endless`, {
      method: 'POST',
      signal: abort.signal,
    })
    const reader = answer.body!.getReader()
    await reader.read()
    let before = -1
    await until(async () => {
      await new Promise((resolve) => setTimeout(resolve, 50))
      const still = bench.seen.made === before
      before = bench.seen.made
      return still
    }, 'the handler waits')
    abort.abort()
    await until(() => bench.seen.aborted === 1, 'the handler saw its signal abort')
  },
)

test('a batch runs side by side, and each entry has its own outcome', limited, async () => {
  await using bench = await openHttpBench()
  const send = (body: unknown, headers = {}) =>
    fetch(`${bench.url}/rpc/batch`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'covey-timeout-ms': '300', ...headers },
      body: JSON.stringify(body),
    })
  const answer = await send({
    tea: { method: 'shop.price', input: { item: 'tea' } },
    ink: { method: 'shop.price', input: { item: 'ink' } },
    none: { method: 'shop.nothing' },
    slow: { method: 'shop.hang' },
    stream: { method: 'shop.count', input: { to: 1 } },
    odd: { method: 7 },
    gone: { method: 'shop.prise' },
  })
  const { tea, ink, none, ...others } = (await answer.json()) as Record<string, never>
  assert.deepEqual(tea, { ok: true, value: { cents: 250 } })
  assert.deepEqual(none, { ok: true })
  const error = {
    code: 'NO_SUCH_ITEM',
    message: 'shop.price: NO_SUCH_ITEM',
    details: { item: 'ink' },
  }
  assert.deepEqual(ink, { ok: false, error })
  const codes = Object.entries<{ error: { code: string } }>(others).map(
    ([k, v]) => `${k} ${v.error.code}`,
  )
  assert.deepEqual(codes, [
    'slow DEADLINE_EXCEEDED',
    'stream INVALID_INPUT',
    'odd INVALID_INPUT',
    'gone UNIMPLEMENTED',
  ])
  assert.deepEqual(await (await send({})).json(), {})
  assert.equal(await outcome(await send([])), '422 INVALID_INPUT')
  const many = Object.fromEntries(
    Array.from({ length: 101 }, (_, n) => [n, { method: 'shop.nothing' }]),
  )
  assert.equal(await outcome(await send(many)), '422 INVALID_INPUT')
})

test('pages may call only from origins that are allowed, after having asked', limited, async () => {
  const friend = 'https://friend.example'
  await using bench = await openHttpBench({ allowOrigin: (origin) => origin === friend })
  assert.equal(
    await outcome(await bench.post('nothing', null, { origin: 'https://evil.example' })),
    '403 PERMISSION_DENIED',
  )
  assert.equal(
    await outcome(await bench.post('nothing', null, { origin: 'null' })),
    '403 PERMISSION_DENIED',
  )
  const cross = await raw(
    bench.port,
    'GET /rpc HTTP/1.1\r\nhost: a\r\nsec-fetch-site: cross-site\r\nconnection: close\r\n\r\n',
  )
  assert.match(cross, /^HTTP\/1\.1 403 /)
  // A page of this very port, which serves none, was made to look so; a person's address bar is no page.
  const own = 'GET /rpc HTTP/1.1\r\nhost: friend.example\r\nconnection: close\r\nsec-fetch-site: '
  await using pageless = await openHttpBench()
  assert.match(await raw(pageless.port, `${own}same-origin\r\n\r\n`), /^HTTP\/1\.1 403 /)
  assert.match(await raw(pageless.port, `${own}none\r\n\r\n`), /^HTTP\/1\.1 200 /)
  assert.match(await raw(bench.port, `${own}same-origin\r\n\r\n`), /^HTTP\/1\.1 200 /)
  const preflight = await fetch(`${bench.url}/rpc/shop/nothing`, {
    method: 'OPTIONS',
    headers: { origin: friend },
  })
  assert.equal(preflight.status, 204)
  assert.match(preflight.headers.get('access-control-allow-headers') ?? '', /content-type/)
  const allowed = await bench.post('nothing', null, { origin: friend })
  assert.equal(allowed.status, 204)
  assert.equal(allowed.headers.get('access-control-allow-origin'), friend)
})

test('a server that drains says so, and closes the connection', limited, async () => {
  await using bench = await openHttpBench()
  const request = 'POST /rpc/shop/nothing HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n'
  const socket = connect(bench.port, '127.0.0.1')
  let answers = ''
  socket.on('data', (bytes) => {
    answers += String(bytes)
  })
  socket.write(request)
  await until(() => answers.includes('204 No Content'), 'the first answer')
  assert.match(answers, /keep-alive: timeout=30/i)
  await bench.listener.drain()
  answers = ''
  socket.write(request)
  await once(socket, 'close')
  assert.match(answers, /^HTTP\/1\.1 503 .*connection: close.*"code":"DRAINING"/is)
})

test(
  'a request whose body comes in while the server goes away is told so and not run',
  limited,
  async () => {
    await using bench = await openHttpBench()
    const head = 'POST /rpc/shop/hang HTTP/1.1\r\nhost: a\r\ncontent-type: application/json'
    const socket = connect(bench.port, '127.0.0.1')
    let answers = ''
    socket.on('data', (bytes) => {
      if (answers === '') socket.write('ll')
      answers += String(bytes)
    })
    socket.on('error', () => {})
    socket.write(`${head}\r\ncontent-length: 4\r\n\r\nnu`)
    await bench.post('nothing', null)
    bench.listener.goAway()
    await once(socket, 'close')
    assert.match(answers, /^HTTP\/1\.1 503 .*"code":"DRAINING"/is)
    assert.equal(bench.seen.hanging, 0)
  },
)
