import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { systemClock } from '../../base/clock.ts'
import { frameType } from '../../codec/frame/frame-type.ts'
import type { CoveyError } from '../../error/covey-error.ts'
import { startChildServer } from '../../testing/child-server.ts'
import { echo } from '../../testing/fixtures/echo-contract.ts'
import { echoService } from '../../testing/fixtures/echo-service.ts'
import { freePort } from '../../testing/free-port.ts'
import { farewell, rawClient, rawSocket, writeRawCall } from '../../testing/raw-client.ts'
import { clientOver, dialTcp, lineWheel, serveTcp } from '../../testing/tcp-line.ts'
import { until } from '../../testing/until.ts'
import type { Limits } from '../limits.ts'
import type { Connection } from '../transport.ts'

const clock = systemClock
const serve = (limits: Partial<Limits> = {}) => serveTcp(echoService, limits)
const dial = dialTcp
const clientOf = (connection: Connection) => clientOver(echo, connection)

test('a server that is killed fails its calls at once, without saying they did not run', async () => {
  await using server = await startChildServer()
  await using connection = await dial(server.address)
  const api = clientOf(connection)
  await api.echo(1)
  const call = api.hang().catch((error: unknown) => error)
  // A round trip behind the call: it has arrived.
  await api.echo(2)
  const startMs = clock.monotonicMs()
  server.signal('SIGKILL')
  assert.equal(((await call) as CoveyError).code, 'CONNECTION_LOST')
  assert.ok(clock.monotonicMs() - startMs < 1_000)
})

test('a server that stands still is given up after the time for silence', async () => {
  await using server = await startChildServer()
  const connection = await dial(server.address, { pingMs: 100, silenceMs: 400 })
  const api = clientOf(connection)
  await api.echo(1)
  server.signal('SIGSTOP')
  const error = (await api.hang().catch((thrown: unknown) => thrown)) as CoveyError
  assert.equal(error.code, 'CONNECTION_LOST')
  assert.match(error.message, /nothing heard for \d+ ms/)
  assert.equal(connection.state, 'closed')
})

test('a client that stands still is given up by the server, and its calls are cancelled', async () => {
  await using listener = await serve({ pingMs: 50, silenceMs: 200 })
  const { socket } = await rawClient(listener.address)
  assert.equal(listener.connections, 1)
  socket.pause()
  await until(() => listener.connections === 0, 'the server let go of the silent client')
  socket.destroy()
})

test('a frame over the limit ends its connection with a clear error, and no other', async () => {
  await using listener = await serve({ maxFrameBytes: 64 * 1024 })
  await using good = await dial(listener.address)
  const { socket } = await rawClient(listener.address)
  socket.write(new Uint8Array([0x7f, 0xff, 0xff, 0xff, frameType.call, 0, 0, 0, 0, 1]))
  assert.equal(await farewell(socket), 'MESSAGE_TOO_LARGE')
  assert.equal(await clientOf(good).echo('fine'), 'fine')
})

test('an input over the limit is refused before it is sent, a result over it is told', async () => {
  await using listener = await serve({ maxFrameBytes: 64 * 1024 })
  await using connection = await dial(listener.address, { maxFrameBytes: 64 * 1024 })
  const api = clientOf(connection)
  await assert.rejects(api.echo('x'.repeat(100_000)), { code: 'MESSAGE_TOO_LARGE' })
  await assert.rejects(api.big({ size: 100_000 }), { code: 'MESSAGE_TOO_LARGE' })
  assert.equal(await api.echo('still here'), 'still here')
})

test('bytes that are not the protocol end the connection', async () => {
  await using listener = await serve()
  for (const text of ['GET / HTTP/1.1\r\n\r\n', '\u0000\u0000\u0000\u0008{"nope":1}']) {
    const socket = await rawSocket(listener.address)
    socket.write(text)
    assert.match(await farewell(socket), /MESSAGE_TOO_LARGE|PROTOCOL_ERROR/)
  }
  assert.equal(listener.connections, 0)
})

test('a server that is not one of ours is told apart', async () => {
  const server = createServer((_, response) => response.end('hello'))
  server.listen(await freePort(), '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  await assert.rejects(dial(`tcp://127.0.0.1:${port}`), (error: CoveyError) => {
    assert.match(error.code, /MESSAGE_TOO_LARGE|PROTOCOL_ERROR|UNAVAILABLE/)
    return true
  })
  server.close()
})

test('a client that says nothing, or half a frame, is let go', async () => {
  await using listener = await serve({ handshakeMs: 100, partialFrameMs: 100, pingMs: 50 })
  const silent = await rawSocket(listener.address)
  assert.equal(await farewell(silent), 'PROTOCOL_ERROR')
  const { socket } = await rawClient(listener.address)
  socket.write(new Uint8Array([0, 0, 1, 0, frameType.call]))
  assert.equal(await farewell(socket), 'PROTOCOL_ERROR')
})

test('a second use of a call number, and frames of unknown types', async () => {
  await using listener = await serve()
  const twice = await rawClient(listener.address)
  writeRawCall(twice.writer, 5, 2, undefined)
  writeRawCall(twice.writer, 5, 2, undefined)
  twice.socket.write(twice.writer.take())
  assert.equal(await farewell(twice.socket), 'PROTOCOL_ERROR')
  const critical = await rawClient(listener.address)
  critical.writer.frame(99, 0, 1)
  critical.socket.write(critical.writer.take())
  assert.equal(await farewell(critical.socket), 'PROTOCOL_ERROR')
  const optional = await rawClient(listener.address)
  optional.writer.frame(200, 0, 1)
  optional.writer.frame(frameType.ping, 0, 0)
  optional.socket.write(optional.writer.take())
  await new Promise((resolve) => optional.socket.once('data', resolve))
  optional.socket.destroy()
})

test('connections over the limit are not taken', async () => {
  await using listener = await serve({ maxConnections: 2 })
  await using first = await dial(listener.address)
  await using second = await dial(listener.address)
  await assert.rejects(dial(listener.address), { code: 'UNAVAILABLE' })
  assert.equal(await clientOf(first).echo(1), 1)
  assert.equal(await clientOf(second).echo(2), 2)
})

test('thousands of calls that were cancelled or timed out leave nothing behind', async () => {
  const before = process.getActiveResourcesInfo().sort()
  {
    await using listener = await serve({ maxEarlyCancels: 1_000_000 })
    await using connection = await dial(listener.address)
    const api = clientOf(connection)
    for (let round = 0; round < 50; round++) {
      const calls = Array.from({ length: 100 }, (_, number) => {
        const abort = new AbortController()
        const timeoutMs = number % 3 === 0 ? 20 : 60_000
        const call = api.hang(undefined, { signal: abort.signal, timeoutMs }).catch(() => {})
        if (number % 3 !== 0) setImmediate(() => abort.abort())
        return call
      })
      await Promise.all(calls)
    }
    assert.equal(connection.pending, 0)
    // Both ends share this wheel; the handlers themselves never end.
    await until(() => lineWheel.size === 0, 'no deadline waits')
  }
  const left = () => process.getActiveResourcesInfo().sort().join()
  await until(() => left() === before.join(), `only ${before.join()} is open, not ${left()}`)
})
