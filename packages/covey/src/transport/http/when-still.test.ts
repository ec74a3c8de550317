import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { Duplex } from 'node:stream'
import { test } from 'node:test'
import { FakeClock } from '../../testing/fake-clock.ts'
import { openHttpBench } from '../../testing/fixtures/http-bench.ts'
import { whenStill } from './when-still.ts'

function watched() {
  const clock = new FakeClock()
  const socket = Object.assign(new Duplex(), { _handle: { writeQueueSize: 900 } })
  const body = { writableLength: 1_000, socket }
  const seen = { slow: 0 }
  const onSlow = () => {
    seen.slow += 1
  }
  const timer = whenStill(body, { clock, slowReaderMs: 100, onSlow })
  return { clock, body, seen, timer }
}

test('a peer that takes some of a body now and then is let be, one that takes nothing is given up', async () => {
  const { clock, body, seen } = watched()
  for (let step = 0; step < 5; step++) {
    await clock.advance(99)
    // Of one large write that is under way, or of those that wait.
    if (step % 2 === 0) body.socket._handle.writeQueueSize -= 1
    else body.writableLength -= 1
  }
  assert.equal(seen.slow, 0)
  await clock.advance(200)
  assert.equal(seen.slow, 1)
  assert.equal(clock.waiting, 0)
})

test('a watch that was ended says nothing', async () => {
  const { clock, body, seen, timer } = watched()
  body.writableLength = 1
  await clock.advance(101)
  timer.stop()
  await clock.advance(1_000)
  assert.deepEqual([seen.slow, clock.waiting], [0, 0])
})

test('a large answer takes longer than that at a reader that is slow and steady', {
  timeout: 30_000,
}, async () => {
  const slowReaderMs = 700
  await using bench = await openHttpBench({ limits: { slowReaderMs, maxFrameBytes: 2 ** 26 } })
  const size = 24_000_000
  const body = JSON.stringify('x'.repeat(size))
  const head = [
    'POST /rpc/shop/echo HTTP/1.1',
    'host: a',
    'connection: close',
    'content-type: application/json',
    `content-length: ${body.length}`,
  ]
  const socket = connect(bench.port, '127.0.0.1').pause()
  socket.write(`${head.join('\r\n')}\r\n\r\n${body}`)
  let [taken, startMs] = [0, performance.now()]
  socket.on('data', (bytes) => {
    if (taken === 0) startMs = performance.now()
    taken += bytes.length
    socket.pause()
    setTimeout(() => socket.resume(), 6)
  })
  const closed = new Promise<void>((resolve) => void socket.once('close', () => resolve()))
  socket.resume()
  await closed
  assert.ok(taken > size, `${taken} bytes`)
  assert.ok(performance.now() - startMs > 2 * slowReaderMs)
})
