import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { test } from 'node:test'
import { FakeClock } from '../testing/fake-clock.ts'
import { afterReading } from './after-reading.ts'
import { systemClock } from './clock.ts'

test('it runs once, at its time', async () => {
  const clock = new FakeClock()
  const ran: number[] = []
  afterReading(clock, 100, () => ran.push(clock.monotonicMs()))
  await clock.advance(99)
  assert.deepEqual(ran, [])
  await clock.advance(1_000)
  assert.deepEqual(ran, [100])
  assert.equal(clock.waiting, 0)
})

test('it can be stopped, also while what has arrived is read', async () => {
  const clock = new FakeClock()
  let ran = 0
  const early = afterReading(clock, 100, () => void ran++)
  early.stop()
  const late = afterReading(clock, 100, () => void ran++)
  // Runs between the two timers of the other one.
  clock.after(100, () => late.stop())
  await clock.advance(200)
  assert.deepEqual([ran, clock.waiting], [0, 0])
})

test('what arrived while the process was held up comes first', async () => {
  const server = createServer((socket) => void socket.end('answer')).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  const order: string[] = []
  const over = Promise.withResolvers<void>()
  await once(socket, 'connect')
  socket.on('data', () => order.push('answer'))
  afterReading(systemClock, 5, () => {
    order.push('limit')
    over.resolve()
  })
  // Long enough for the limit to be over and the answer to be there, unread.
  const untilMs = performance.now() + 100
  while (performance.now() < untilMs);
  // A clock's timers do not keep the process alive, and the server's end is not to end the test.
  const alive = setInterval(() => {}, 1_000)
  await over.promise
  clearInterval(alive)
  socket.destroy()
  server.close()
  assert.deepEqual(order, ['answer', 'limit'])
})
