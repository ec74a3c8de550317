import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { test } from 'node:test'
import { systemClock } from '../../base/clock.ts'
import { FakeClock } from '../../testing/fake-clock.ts'
import { RecordingLog } from '../../testing/recording-log.ts'
import { until } from '../../testing/until.ts'
import { refuseConnection } from '../http/refuse-connection.ts'
import { defaultLimits, type Limits } from '../limits.ts'
import { type AcceptOptions, limitAccept } from './limit-accept.ts'

interface Bench extends AsyncDisposable {
  readonly clock: FakeClock
  readonly log: RecordingLog
  /** Connections that reached whoever serves them. */
  readonly served: Socket[]
  /** Opens connections that seem to come from an address; how many were let in. */
  come(address: string, count: number): Promise<number>
}

/** A server whose clients come from wherever they say. */
async function open(
  limits: Partial<Limits>,
  options: Partial<AcceptOptions> = {},
  server: Server = createServer(),
): Promise<Bench> {
  const clock = new FakeClock()
  const log = new RecordingLog()
  const served: Socket[] = []
  server.on('connection', (socket) => {
    served.push(socket)
    socket.on('error', () => {}).resume()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  limitAccept(server, { limits: { ...defaultLimits, ...limits }, log, clock, ...options })
  let from = ''
  let seen = 0
  server.prependListener('connection', (socket: Socket) => {
    seen += 1
    Object.defineProperty(socket, 'remoteAddress', { value: from })
  })
  const { port } = server.address() as AddressInfo
  const sockets: Socket[] = []
  return {
    clock,
    log,
    served,
    async come(address, count) {
      from = address
      const [seenBefore, before] = [seen, served.length]
      for (let index = 0; index < count; index++) {
        sockets.push(
          connect(port, '127.0.0.1')
            .on('error', () => {})
            .resume(),
        )
      }
      await until(() => seen === seenBefore + count, 'all have come')
      return served.length - before
    },
    async [Symbol.asyncDispose]() {
      for (const socket of [...sockets, ...served]) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

const few = { maxConnectsPerSecond: 10, maxConnectBurst: 20 }

test('one address connects so often, and others are not held up by it', async () => {
  await using bench = await open(few)
  assert.equal(await bench.come('192.0.2.1', 50), 20)
  assert.equal(await bench.come('192.0.2.2', 10), 10)
  await bench.clock.advance(500)
  assert.equal(await bench.come('192.0.2.1', 50), 5)
})

test('of IPv6 a network of 64 bits is one address, and IPv4 in it is itself', async () => {
  await using bench = await open(few)
  assert.equal(await bench.come('2001:db8::1', 20), 20)
  assert.equal(await bench.come('2001:db8::2', 5), 0)
  assert.equal(await bench.come('2001:db8:0:1::1', 5), 5)
  assert.equal(await bench.come('192.0.2.1', 20), 20)
  assert.equal(await bench.come('::ffff:192.0.2.1', 5), 0)
})

test('this machine, a proxy, and a rate without end have no such limit', async () => {
  const little = { ...few, maxConnections: 40 }
  for (const address of ['127.0.0.1', '127.8.8.8', '::1', '::ffff:127.0.0.1']) {
    await using bench = await open(little)
    assert.equal(await bench.come(address, 35), 35, address)
  }
  await using proxied = await open(little, { proxied: true })
  assert.equal(await proxied.come('192.0.2.1', 35), 35)
  await using endless = await open({ ...few, maxConnectsPerSecond: Number.POSITIVE_INFINITY })
  assert.equal(await endless.come('192.0.2.1', 35), 35)
})

test('one address has half of the connections, and gets its places back when it closes them', async () => {
  await using bench = await open({ maxConnections: 40 })
  assert.equal(await bench.come('192.0.2.1', 35), 20)
  assert.equal(await bench.come('192.0.2.2', 15), 15)
  for (const socket of bench.served.slice(0, 7)) {
    socket.destroy()
    await once(socket, 'close')
  }
  assert.equal(await bench.come('192.0.2.1', 10), 7)
})

test('the log says it once a minute for an address, with how often, and not for each of many', async () => {
  await using bench = await open({ maxConnectsPerSecond: 0.001, maxConnectBurst: 1 })
  await bench.come('192.0.2.1', 31)
  await bench.come('192.0.2.2', 2)
  await bench.clock.advance(60_000)
  await bench.come('192.0.2.1', 1)
  assert.deepEqual(
    bench.log.lines.map(({ fields }) => [fields.address, fields.times]),
    [
      ['192.0.2.1', 1],
      ['192.0.2.2', 1],
      ['192.0.2.1', 30],
    ],
  )
  assert.match(bench.log.lines[0]!.message, /more than 0\.001 a second came from one address/)
  bench.log.lines.length = 0
  for (let index = 0; index < 100; index++) await bench.come(`198.51.100.${index}`, 2)
  assert.ok(bench.log.lines.length <= 17, `${bench.log.lines.length} lines`)
  assert.equal(bench.log.lines.at(-1)!.fields.addresses, 'many')
})

test('who is refused is closed at once', async () => {
  await using bench = await open({ maxConnectBurst: 1 })
  await bench.come('192.0.2.1', 1)
  const { port } = bench.served[0]!.address() as AddressInfo
  const refused = connect(port, '127.0.0.1').resume()
  await once(refused, 'close')
})

test('over HTTP it hears 429, and when to come again; of many only some', async () => {
  const server = createHttpServer((_, response) => response.end('served'))
  await using bench = await open(
    { maxConnectsPerSecond: 1, maxConnectBurst: 1 },
    { refuse: refuseConnection(systemClock) },
    server,
  )
  await bench.come('192.0.2.1', 1)
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  const answer = await fetch(url)
  assert.equal(answer.status, 429)
  assert.equal(answer.headers.get('retry-after'), '1')
  // A body that nobody reads does not take the answer away.
  const upload = await fetch(url, { method: 'POST', body: 'x'.repeat(100_000) })
  assert.equal(upload.status, 429)
  await bench.come('192.0.2.1', 200)
  await until(() => connectionsOf(server).then((count) => count <= 33), 'words are for few')
  await until(() => connectionsOf(server).then((count) => count <= 1), 'and not for long')
})

function connectionsOf(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.getConnections((error, count) => (error ? reject(error) : resolve(count)))
  })
}
