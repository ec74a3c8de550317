import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import type { Server } from 'node:http'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { createGateway } from '../../gateway/create-gateway.ts'
import { createRuntime } from '../../rpc/runtime.ts'
import { FakeClock } from '../../testing/fake-clock.ts'
import { openHttpBench } from '../../testing/fixtures/http-bench.ts'
import { freePort } from '../../testing/free-port.ts'
import { RecordingLog } from '../../testing/recording-log.ts'
import { until } from '../../testing/until.ts'
import { defaultLimits } from '../limits.ts'
import { limitHeads } from './limit-heads.ts'

const limited = { timeout: 30_000 }

/** Opens sockets that send a head without an end; failures of single ones do not matter. */
async function flood(port: number, count: number, lines: string): Promise<Socket[]> {
  const sockets = Array.from({ length: count }, () => connect(port, '127.0.0.1'))
  await Promise.all(
    sockets.map((socket) => {
      socket.on('error', () => {}).resume()
      socket.write(`${lines}\r\nhost: 127.0.0.1\r\nx: `)
      return once(socket, 'connect').catch(() => {})
    }),
  )
  return sockets
}

function stillOpen(sockets: readonly Socket[]): number {
  return sockets.filter(({ readyState }) => readyState === 'open').length
}

/** 2,000 heads that trickle. */
async function trickled(port: number, lines: string, run: () => Promise<void>): Promise<void> {
  const strangers = await flood(port, 2_000, lines)
  const trickle = setInterval(() => {
    for (const socket of strangers) if (socket.writable) socket.write('y')
  }, 300)
  try {
    await until(() => stillOpen(strangers) <= 256, 'no more than 256 are left')
    await run()
  } finally {
    clearInterval(trickle)
    for (const socket of strangers) socket.destroy()
  }
}

test(
  '2,000 strangers whose heads trickle keep nobody from calling over HTTP',
  limited,
  async () => {
    await using bench = await openHttpBench()
    await trickled(bench.port, 'POST /rpc/shop/nothing HTTP/1.1', async () => {
      const answer = await fetch(`http://127.0.0.1:${bench.port}/rpc/shop/nothing`, {
        method: 'POST',
        headers: { connection: 'close' },
      })
      assert.equal(answer.status, 204)
    })
    await until(() => bench.listener.connections === 0, 'nobody is left')
  },
)

test('2,000 strangers whose upgrades trickle keep no page from a gateway', limited, async () => {
  const log = new RecordingLog()
  const runtime = createRuntime({ registry: 'memory:' })
  const context = { instance: 'gateway-1', runtime, log }
  const port = await freePort()
  await using gateway = await createGateway({ context, port, services: [] })
  const upgrade = 'GET /rpc HTTP/1.1\r\nconnection: upgrade\r\nupgrade: websocket'
  await trickled(port, upgrade, async () => {
    const page = new WebSocket(`ws://127.0.0.1:${port}/rpc`, ['covey.1'])
    await new Promise((resolve, reject) => {
      page.onopen = resolve
      page.onerror = reject
    })
    await until(() => gateway.connections === 1, 'the page is there')
    page.close()
    await until(() => gateway.connections === 0, 'it has left')
  })
  const lines = log.messages('warn').filter((line) => line.includes('wait for the head'))
  assert.ok(lines.length >= 1 && lines.length <= 3, lines.join('\n'))
  await runtime.close()
})

/** As much of a server and its sockets as heads need. */
function bench(maxHandshakes: number) {
  const clock = new FakeClock()
  const server = new EventEmitter()
  server.on('request', () => {})
  limitHeads(server as Server, { limits: { ...defaultLimits, maxHandshakes }, clock })
  const come = (address: string) => {
    const socket = Object.assign(new EventEmitter(), {
      remoteAddress: address,
      destroyed: false,
      destroy() {
        socket.destroyed = true
        socket.emit('close')
      },
    })
    server.emit('connection', socket)
    return socket
  }
  return { clock, server, come }
}

const gone = (sockets: { destroyed: boolean }[]) => sockets.map(({ destroyed }) => destroyed)

test('the oldest go when they are too many, and not before their time', async () => {
  const { clock, come } = bench(2)
  const sockets = [come('192.0.2.1'), come('192.0.2.2')]
  await clock.advance(150)
  sockets.push(come('192.0.2.3'), come('192.0.2.4'))
  await clock.advance(100)
  assert.deepEqual(gone(sockets), [false, false, false, false])
  await clock.advance(100)
  assert.deepEqual(gone(sockets), [true, true, false, false])
  assert.equal(clock.waiting, 0)
})

test('places are free again when the head is there, or the client is gone', async () => {
  const { clock, server, come } = bench(2)
  const sockets = [come('192.0.2.1'), come('192.0.2.2'), come('192.0.2.3'), come('192.0.2.4')]
  server.emit('request', { socket: sockets[0] })
  sockets[1]!.emit('close')
  await clock.advance(1_000)
  assert.deepEqual(gone(sockets), [false, false, false, false])
  const late = come('192.0.2.5')
  await clock.advance(1_000)
  assert.deepEqual(gone([...sockets, late]), [false, false, true, false, false])
})

test('an address that has more than half goes first', async () => {
  const { clock, come } = bench(4)
  const early = come('192.0.2.1')
  const crowd = Array.from({ length: 5 }, () => come('192.0.2.9'))
  await clock.advance(1_000)
  assert.deepEqual(gone([early, ...crowd]), [false, true, true, false, false, false])
})

test('nothing is looked after that nobody serves, and nothing when the server is closed', () => {
  const { clock, server, come } = bench(1)
  assert.deepEqual([server.listenerCount('checkContinue'), server.listenerCount('upgrade')], [0, 0])
  come('192.0.2.1')
  come('192.0.2.2')
  assert.equal(clock.waiting, 1)
  server.emit('close')
  assert.equal(clock.waiting, 0)
})
