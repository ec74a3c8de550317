import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { test } from 'node:test'
import { connect as connectTlsSocket } from 'node:tls'
import { systemClock } from '../../base/clock.ts'
import { TimerWheel } from '../../base/timer-wheel.ts'
import { currentCall } from '../../call/call-storage.ts'
import { compose } from '../../call/handler.ts'
import { clientStack } from '../../rpc/client-stack.ts'
import { contractClient } from '../../rpc/contract-client.ts'
import { createDispatcher } from '../../rpc/dispatcher.ts'
import { echo } from '../../testing/fixtures/echo-contract.ts'
import { echoService } from '../../testing/fixtures/echo-service.ts'
import { freePort } from '../../testing/free-port.ts'
import { RecordingLog } from '../../testing/recording-log.ts'
import { createTestAuthority } from '../../testing/test-authority.ts'
import { until } from '../../testing/until.ts'
import { defaultLimits, type Limits } from '../limits.ts'
import type { Connection, Listener } from '../transport.ts'
import { fixedCredentials } from './tls-credentials.ts'
import { createTlsTransport } from './tls-transport.ts'

const clock = systemClock
const wheel = new TimerWheel(clock)
const authority = createTestAuthority()
const tls = createTlsTransport(
  fixedCredentials({ ...authority.issue({ ips: ['127.0.0.1'] }), ca: authority.ca }),
)

async function serve(limits: Partial<Limits>, log: RecordingLog): Promise<Listener> {
  const stack = { instance: 'echo-1', wheel, log, middleware: [] }
  const options = { limits: { ...defaultLimits, ...limits }, clock, log }
  const address = `tls://127.0.0.1:${await freePort()}`
  return tls.listen(address, createDispatcher([echoService], stack), options)
}

function dial(address: string): Promise<Connection> {
  return tls.connect(address, { limits: defaultLimits, clock })
}

async function echoed(connection: Connection): Promise<unknown> {
  const invoke = compose(clientStack({ wheel, middleware: [] }), connection.invoke)
  return contractClient(echo, { clock, invoke, currentCall }).echo('served')
}

/** Opens sockets; failures of single ones do not matter. */
async function flood(address: string, count: number): Promise<Socket[]> {
  const port = Number(address.slice(address.lastIndexOf(':') + 1))
  const sockets = Array.from({ length: count }, () => connect(port, '127.0.0.1'))
  await Promise.all(
    sockets.map((socket) => {
      socket.resume()
      socket.on('error', () => {})
      return once(socket, 'connect').catch(() => {})
    }),
  )
  return sockets
}

function stillOpen(sockets: readonly Socket[]): number {
  return sockets.filter(({ readyState }) => readyState === 'open').length
}

/** What a client of TLS says first. */
async function recordClientHello(): Promise<Buffer> {
  const server = createServer()
  const port = await freePort()
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const client = connectTlsSocket({ port, host: '127.0.0.1', ALPNProtocols: ['covey'] })
  client.on('error', () => {})
  const [socket] = (await once(server, 'connection')) as [Socket]
  const [bytes] = (await once(socket, 'data')) as [Buffer]
  client.destroy()
  socket.destroy()
  server.close()
  return bytes
}

const whole = await recordClientHello()

for (const [what, first, later] of [
  ['send a byte of a handshake now and then', Buffer.alloc(0), 1],
  ['send the first message of a handshake and then a byte now and then', whole, 1],
  ['send the first message of a handshake and nothing more', whole, 0],
] as const) {
  test(`2,000 strangers who ${what} keep nobody else out`, { timeout: 30_000 }, async () => {
    const log = new RecordingLog()
    await using listener = await serve({ handshakeMs: 3_000 }, log)
    await using before = await dial(listener.address)
    const strangers = await flood(listener.address, 2_000)
    for (const socket of strangers) if (socket.writable && first.length > 0) socket.write(first)
    // Bytes that could become a record of TLS.
    const trickle = setInterval(() => {
      for (const socket of strangers) if (socket.writable && later > 0) socket.write('\x16')
    }, 300)
    try {
      await until(() => stillOpen(strangers) <= 256, 'no more than 256 are shaking hands')
      assert.equal(await echoed(before), 'served')
      let connection: Connection | undefined
      await until(async () => {
        connection = await dial(listener.address).catch(() => undefined)
        return connection !== undefined
      }, 'a client that means it gets in')
      assert.equal(await echoed(connection!), 'served')
      await until(() => stillOpen(strangers) === 0, 'all strangers are gone', 10_000)
      assert.equal(listener.connections, 2)
      await connection!.close()
    } finally {
      clearInterval(trickle)
      for (const socket of strangers) socket.destroy()
    }
    const lines = log.messages('warn').filter((line) => line.includes('256 are shaking hands'))
    assert.ok(lines.length >= 1 && lines.length <= 3, log.messages('warn').join('\n'))
  })
}

test('a herd of clients that mean it all get in', { timeout: 30_000 }, async () => {
  await using listener = await serve({ maxHandshakes: 50 }, new RecordingLog())
  const connections: Connection[] = []
  const join = async () => {
    await until(async () => {
      const connection = await dial(listener.address).catch(() => undefined)
      if (connection !== undefined) connections.push(connection)
      return connection !== undefined
    }, 'it gets in')
  }
  await Promise.all(Array.from({ length: 50 }, join))
  assert.equal(connections.length, 50)
  for (const connection of connections) await connection.close()
})

test('a listener that closes does not wait for strangers', { timeout: 20_000 }, async () => {
  const listener = await serve({ handshakeMs: 60_000 }, new RecordingLog())
  const strangers = await flood(listener.address, 5)
  for (const socket of strangers) socket.write(whole)
  await listener.close()
  await until(() => stillOpen(strangers) === 0, 'all are cut off')
})
