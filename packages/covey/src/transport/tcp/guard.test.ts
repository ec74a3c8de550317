import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, Socket } from 'node:net'
import { test } from 'node:test'
import { freePort } from '../../testing/free-port.ts'
import { defaultLimits, type Limits } from '../limits.ts'
import { countSocket, guard, probesFor } from './guard.ts'
import { socketPipe } from './wire.ts'

const limits = (changes: Partial<Limits> = {}): Limits => ({ ...defaultLimits, ...changes })

/** Node before 26.4 cannot be told how many probes there are to be. */
const tellable = process.platform === 'linux' && Socket.prototype.setKeepAlive.length >= 4
const skip = tellable ? {} : { skip: 'this system or Node cannot be told the number of probes' }

test('a machine that is gone is noticed within silenceMs, by two probes at the least', () => {
  const found = (pingMs: number, silenceMs: number) => {
    const probes = probesFor(limits({ pingMs, silenceMs }))
    return probes && Object.values(probes)
  }
  assert.deepEqual(found(1_000, 3_000), [1, 1, 2])
  assert.deepEqual(found(1_000, 6_000), [1, 1, 5])
  assert.deepEqual(found(10_000, 30_000), [10, 10, 2])
  assert.deepEqual(found(5_000, 8_000), [5, 1, 3])
  assert.deepEqual(found(100, 3_000), [1, 1, 2])
  assert.deepEqual(found(1_000, 60_000), [1, 5, 10])
  for (const silenceMs of [400, 1_000, 2_999, Number.POSITIVE_INFINITY]) {
    assert.equal(found(200, silenceMs), undefined, `${silenceMs}`)
  }
  assert.equal(found(2_000, 3_000), undefined, 'no room for two')
})

test('the more connections, the later the first probe of a further one, up to idlePingMs', () => {
  const found = (connections: number, changes: Partial<Limits> = {}) => {
    const { idleSeconds, intervalSeconds, count } = probesFor(limits(changes), connections)!
    assert.deepEqual([intervalSeconds, count], [1, 2])
    return idleSeconds
  }
  assert.deepEqual(
    [0, 249, 250, 999, 5_000].map((number) => found(number)),
    [1, 1, 2, 4, 21],
  )
  assert.equal(found(1_000_000), 25)
  assert.equal(found(1_000_000, { idlePingMs: 500 }), 1)
  let perSecond = 0
  for (let number = 0; number < 10_000; number++) perSecond += 1 / found(number)
  assert.ok(perSecond < 1_200, `${perSecond} probes a second`)
})

test('whatever the limits, the probes are whole seconds and over in time', () => {
  for (let pingMs = 50; pingMs < 40_000; pingMs = Math.ceil(pingMs * 1.7)) {
    for (let silenceMs = 100; silenceMs < 4_000_000; silenceMs = Math.ceil(silenceMs * 1.3)) {
      const probes = probesFor(limits({ pingMs, silenceMs }))
      if (probes === undefined) continue
      const { idleSeconds, intervalSeconds, count } = probes
      const numbers = [idleSeconds, intervalSeconds, count]
      assert.ok(
        numbers.every((number) => Number.isInteger(number) && number >= 1),
        `${numbers}`,
      )
      assert.ok(count >= 2 && count <= 10)
      assert.ok((idleSeconds + intervalSeconds * count) * 1_000 <= silenceMs, `${numbers}`)
    }
  }
})

test('a socket that cannot be guarded in time is left as it is', skip, () => {
  const asked: unknown[][] = []
  const socket = { setKeepAlive: (...args: unknown[]) => void asked.push(args) } as never
  assert.equal(guard(socket, limits({ silenceMs: 2_000 })), false)
  assert.deepEqual(asked, [])
  assert.equal(guard(socket, limits()), true)
  assert.deepEqual(asked, [[true, 1_000, 1_000, 2]])
})

/** A socket of this process to a server of its own. */
async function openSocket() {
  const server = createServer().listen(await freePort(), '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  return { server, socket }
}

test('sockets count while they are open', skip, async () => {
  const { server, socket } = await openSocket()
  const pipe = socketPipe(socket, 'tcp', 'there', limits())
  for (let others = 0; others < 249; others++) countSocket(1)
  const idleMs = () => {
    const asked: number[] = []
    const setKeepAlive = (_on: boolean, ms: number) => void asked.push(ms)
    guard({ setKeepAlive } as never, limits())
    return asked[0]
  }
  assert.equal(idleMs(), 1_000)
  const closed = new Promise((resolve) => {
    pipe.open({ data() {}, drained() {}, closed: resolve })
  })
  assert.equal(idleMs(), 2_000)
  socket.destroy()
  await closed
  assert.equal(idleMs(), 1_000)
  for (let others = 0; others < 249; others++) countSocket(-1)
  server.close()
})

test('what the system found out is told in words', async () => {
  const { server, socket } = await openSocket()
  const pipe = socketPipe(socket, 'tcp', 'there', limits())
  assert.equal(pipe.guarded, tellable)
  const closed = new Promise<Error | undefined>((resolve) => {
    pipe.open({ data() {}, drained() {}, closed: resolve })
  })
  const cause = Object.assign(new Error('read ETIMEDOUT'), { code: 'ETIMEDOUT' })
  socket.destroy(cause)
  const reason = await closed
  assert.match(reason!.message, /machine, or the way to it, is gone: .* \(ETIMEDOUT\)$/)
  assert.equal(reason!.cause, cause)
  server.close()
})

test('the other end of a unix socket is on this machine, so nobody asks for it', () => {
  const socket = new Socket()
  socket.setKeepAlive = () => assert.fail('no probes')
  assert.equal(socketPipe(socket, 'unix', '/run/x', limits()).guarded, true)
})
