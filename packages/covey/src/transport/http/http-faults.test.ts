import assert from 'node:assert/strict'
import { createServer as createHttp } from 'node:http'
import { createServer as createTcp, type Server, type Socket } from 'node:net'
import { test } from 'node:test'
import { systemClock } from '../../base/clock.ts'
import { Call } from '../../call/call.ts'
import { CoveyError } from '../../error/covey-error.ts'
import { type HttpBench, openHttpBench, shop } from '../../testing/fixtures/http-bench.ts'
import { startHttpImpostor } from '../../testing/fixtures/http-impostor.ts'
import { freePort } from '../../testing/free-port.ts'
import { until } from '../../testing/until.ts'
import { defaultLimits, type Limits } from '../limits.ts'
import { createKeyRing } from '../tcp/create-key-ring.ts'
import type { Connection } from '../transport.ts'
import { connectHttp } from './client.ts'

const limited = { timeout: 20_000 }

function connectTo(url: string, limits: Partial<Limits> = {}): Promise<Connection> {
  return connectHttp(url, { clock: systemClock, limits: { ...defaultLimits, ...limits } })
}

function call(method: keyof typeof shop.methods, input?: unknown, timeoutMs = 5_000): Call {
  const deadlineMs = systemClock.monotonicMs() + timeoutMs
  return new Call(shop.methods[method], input, { deadlineMs })
}

async function code(result: Promise<unknown>): Promise<string> {
  return result.then(
    (value) => `result ${value}`,
    (error: unknown) => CoveyError.from(error).code,
  )
}

test('a connection that breaks after the request left may have run its call', limited, async () => {
  await using server = await startHttpImpostor((request) => request.socket.destroy())
  await using connection = await connectTo(server.url)
  assert.equal(await code(connection.invoke(call('nothing'))), 'CONNECTION_LOST')
  assert.equal(await code(connection.invoke(call('count', { to: 1 }))), 'CONNECTION_LOST')
  assert.equal(connection.pending, 0)
})

test('half an answer is none', limited, async () => {
  await using server = await startHttpImpostor((request, response) => {
    const stream = request.headers['content-type']?.includes('frames')
    const type = stream ? 'application/vnd.covey.frames' : 'application/json'
    response.writeHead(200, { 'content-type': type, ...(stream ? {} : { 'content-length': 100 }) })
    response.write(stream ? new Uint8Array([0, 0]) : '{"cents":')
    setImmediate(() => response.destroy())
  })
  await using connection = await connectTo(server.url)
  assert.equal(await code(connection.invoke(call('price', { item: 'tea' }))), 'CONNECTION_LOST')
  const items = (await connection.invoke(call('count', { to: 1 }))) as AsyncIterable<unknown>
  assert.equal(await code(items[Symbol.asyncIterator]().next()), 'CONNECTION_LOST')
})

test('answers of proxies and of nonsense are told as what they are', limited, async () => {
  const answers: [number, string, string, string][] = [
    [502, 'text/html', '<h1>bad gateway</h1>', 'CONNECTION_LOST'],
    [503, 'text/plain', 'busy', 'CONNECTION_LOST'],
    [401, 'text/plain', 'who?', 'UNAUTHENTICATED'],
    [403, 'text/plain', 'no', 'PERMISSION_DENIED'],
    [404, 'text/html', '<h1>?</h1>', 'PROTOCOL_ERROR'],
    [302, 'text/html', '', 'PROTOCOL_ERROR'],
    [200, 'text/html', '<h1>login</h1>', 'PROTOCOL_ERROR'],
    [200, 'application/json', '{"a":', 'PROTOCOL_ERROR'],
    [200, 'application/msgpack', '\xc1', 'PROTOCOL_ERROR'],
    [429, 'application/problem+json', '{"code":"X","detail":"y"}', 'X'],
    [429, 'application/problem+json', '{"code":7}', 'RESOURCE_EXHAUSTED'],
    [400, 'application/problem+json', '{"code":7}', 'PROTOCOL_ERROR'],
  ]
  let next = answers[0]!
  await using server = await startHttpImpostor((request, response) => {
    request.resume()
    response.writeHead(next[0], { 'content-type': next[1] }).end(next[2], 'latin1')
  })
  await using connection = await connectTo(server.url)
  for (const answer of answers) {
    next = answer
    assert.equal(await code(connection.invoke(call('nothing'))), answer[3], answer.join(' '))
    if (answer[0] === 200) continue
    assert.equal(await code(connection.invoke(call('count', { to: 1 }))), answer[3])
  }
})

test('an answer over the limit is refused', limited, async () => {
  await using bench = await openHttpBench({ limits: { maxFrameBytes: 100_000 } })
  await using connection = await connectTo(bench.url, { maxFrameBytes: 10_000 })
  const big = 'x'.repeat(50_000)
  assert.equal(await code(connection.invoke(call('echo', big))), 'MESSAGE_TOO_LARGE')
  const tooBig = 'x'.repeat(200_000)
  assert.equal(await code(connection.invoke(call('echo', tooBig))), 'MESSAGE_TOO_LARGE')
  assert.equal(await connection.invoke(call('echo', 'small')), 'small')
})

test('a server that stands still counts as gone', limited, async () => {
  const sockets: Socket[] = []
  await using bench = await openHttpBench()
  await using silent = await silentProxy(bench, sockets)
  const connection = await connectTo(silent.url, { pingMs: 30, silenceMs: 150 })
  const running = code(connection.invoke(call('hang', undefined, 60_000)))
  await until(() => bench.seen.hanging === 1, 'the handler runs')
  silent.stop()
  assert.equal(await running, 'CONNECTION_LOST')
  assert.match((await connection.closed)?.message ?? '', /nothing heard for \d+ ms/)
  assert.equal(connection.state, 'closed')
})

/** Passes bytes on until it is stopped, and keeps connections open then. */
async function silentProxy({ port }: HttpBench, sockets: Socket[]) {
  const { connect } = await import('node:net')
  const server: Server = createTcp((near) => {
    const far = connect(port, '127.0.0.1')
    sockets.push(near, far)
    near.on('error', () => {}).pipe(far)
    far.on('error', () => {}).pipe(near)
  })
  const own = await freePort()
  await new Promise<void>((resolve) => server.listen(own, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${own}`,
    stop: () => {
      for (const socket of sockets) socket.unpipe().pause()
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

test(
  'nobody there, somebody else there, and nobody that answers are told apart',
  limited,
  async () => {
    assert.equal(await code(connectTo(`http://127.0.0.1:${await freePort()}`)), 'UNAVAILABLE')
    const mute = createTcp(() => {})
    const port = await freePort()
    await new Promise<void>((resolve) => mute.listen(port, '127.0.0.1', resolve))
    const impatient = { handshakeMs: 50 }
    const refusal = connectTo(`http://127.0.0.1:${port}`, impatient).catch(String)
    assert.match(String(await refusal), /no answer within 50 ms/)
    mute.close()
    const plain = createHttp((_, response) => response.end('hello'))
    const other = await freePort()
    await new Promise<void>((resolve) => plain.listen(other, '127.0.0.1', resolve))
    assert.equal(await code(connectTo(`http://127.0.0.1:${other}`)), 'PROTOCOL_ERROR')
    plain.close()
    plain.closeAllConnections()
    const abort = AbortSignal.abort()
    const options = { clock: systemClock, limits: defaultLimits, signal: abort }
    assert.equal(await code(connectHttp(`http://127.0.0.1:${other}`, options)), 'UNAVAILABLE')
  },
)

test('keys, which cannot be proved over HTTP, are neither left out nor sent', limited, async () => {
  const keys = createKeyRing([{ id: 'may', secret: 'a secret of thirty-two characters' }])
  await using bench = await openHttpBench({ keys })
  const answer = await bench.post('nothing', null)
  assert.equal(answer.status, 401)
  assert.match(((await answer.json()) as { detail: string }).detail, /demands keys/)
  const options = { clock: systemClock, limits: defaultLimits, keys }
  await using open = await openHttpBench()
  assert.equal(await code(connectHttp(open.url, options)), 'UNAUTHENTICATED')
})

test('each request names the instance that is meant', limited, async () => {
  const named: unknown[] = []
  await using server = await startHttpImpostor((request, response) => {
    named.push(request.headers['covey-instance'])
    response.writeHead(204).end()
  })
  await using connection = await connectTo(server.url)
  await connection.invoke(call('nothing'))
  assert.deepEqual(named, ['odd'])
})

test('a call for an instance that is no longer there is not run', limited, async () => {
  await using bench = await openHttpBench()
  const answer = await bench.post('nothing', null, { 'covey-instance': 'another' })
  assert.equal(answer.status, 503)
  assert.equal(((await answer.json()) as { code: string }).code, 'UNAVAILABLE')
})

test(
  'connections are used again, and a connection that is closed leaves nothing behind',
  limited,
  async () => {
    await using bench = await openHttpBench()
    const connection = await connectTo(bench.url)
    for (let n = 0; n < 50; n++) assert.equal(await connection.invoke(call('echo', n)), n)
    for (let n = 0; n < 20; n++) {
      const items = (await connection.invoke(call('count', { to: 3 }))) as AsyncIterable<unknown>
      const got: unknown[] = []
      for await (const item of items) got.push(item)
      assert.deepEqual(got, [1, 2, 3])
    }
    assert.ok(bench.listener.connections <= 3, `${bench.listener.connections} connections`)
    const running = code(connection.invoke(call('hang', undefined, 60_000)))
    await until(() => bench.seen.hanging === 1, 'the handler runs')
    await connection.close()
    assert.equal(await running, 'CANCELLED')
    assert.equal(await code(connection.invoke(call('nothing'))), 'UNAVAILABLE')
    await until(() => bench.listener.connections === 0, 'all sockets are closed')
    assert.equal(bench.seen.aborted, 1)
  },
)

test('a stream that is left is told why, and its socket serves the next one', limited, async () => {
  await using bench = await openHttpBench()
  await using connection = await connectTo(bench.url)
  for (let round = 1; round <= 10; round++) {
    const items = (await connection.invoke(call('endless'))) as AsyncIterable<unknown>
    for await (const _ of items) break
    await until(() => bench.seen.aborted === round, 'the handler was told')
  }
  assert.deepEqual(new Set(bench.seen.reasons), new Set(['the reader left the stream']))
  assert.ok(bench.listener.connections <= 3, `${bench.listener.connections} connections`)
})
