import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { CoveyError } from '../../error/covey-error.ts'
import { IncomingStream } from './incoming-stream.ts'

function bench() {
  const seen = { taken: 0, left: 0 }
  const stream = new IncomingStream({
    // So small that every element taken is granted at once; its sender is not bound by it.
    windowBytes: 1,
    slackBytes: Number.MAX_SAFE_INTEGER,
    grant: (bytes) => {
      seen.taken += bytes
    },
    onLeft: () => {
      seen.left += 1
    },
  })
  return { stream, seen }
}

const lost = new CoveyError('CONNECTION_LOST', 'reset')

function value(of: unknown): IteratorResult<unknown> {
  return { done: false, value: of }
}

const done = { done: true, value: undefined }

test('the sender is granted what was taken, half a window at a time', async () => {
  const grants: number[] = []
  const stream = new IncomingStream({
    windowBytes: 100,
    grant: (bytes) => void grants.push(bytes),
    onLeft() {},
  })
  for (let n = 0; n < 10; n++) stream.push(n, 10)
  for (let n = 0; n < 4; n++) await stream.next()
  assert.deepEqual(grants, [])
  await stream.next()
  assert.deepEqual(grants, [50])
  for (let n = 0; n < 5; n++) await stream.next()
  assert.deepEqual(grants, [50, 50])
})

test('a sender may pass the window by its last element, and no further', async () => {
  const make = () => new IncomingStream({ windowBytes: 100, grant() {}, onLeft() {} })
  const refusal = { code: 'PROTOCOL_ERROR', message: 'more of a stream than was granted' }
  const obedient = make()
  for (const bytes of [99, 51]) obedient.push('x', bytes)
  assert.throws(() => obedient.push('x', 1), refusal)
  const drained = make()
  for (const bytes of [99, 51]) drained.push('x', bytes)
  await drained.next()
  await drained.next()
  // 150 bytes were granted anew.
  for (const bytes of [99, 51]) drained.push('x', bytes)
  assert.throws(() => drained.push('x', 1), refusal)
  const small = make()
  for (let n = 0; n < 10; n++) small.push('x', 10)
  assert.throws(() => small.push('x', 10), refusal, 'many small ones are no better')
  assert.equal(small.queuedBytes, 100)
  const left = make()
  await left.return()
  left.push('x', 150)
  assert.throws(() => left.push('x', 1), refusal, 'one that was left is granted nothing')
})

test('an abort drops what has arrived and is told at once, unless all had been read', async () => {
  const { stream } = bench()
  stream.push('a', 1)
  stream.abort(lost)
  assert.equal(stream.queuedBytes, 0)
  await assert.rejects(stream.next(), lost)
  const waiting = bench().stream
  const read = waiting.next()
  waiting.abort(lost)
  await assert.rejects(read, lost)
  const unread = bench().stream
  unread.push('a', 1)
  unread.finish()
  unread.abort(lost)
  await assert.rejects(unread.next(), lost)
  const whole = bench().stream
  whole.finish()
  whole.abort(lost)
  assert.deepEqual(await whole.next(), done)
})

test('elements come in order, those that wait and those that are waited for', async () => {
  const { stream, seen } = bench()
  stream.push('a', 10)
  stream.push('b', 20)
  assert.equal(stream.queuedBytes, 30)
  assert.deepEqual(await stream.next(), value('a'))
  assert.equal(stream.queuedBytes, 20)
  assert.deepEqual(await stream.next(), value('b'))
  const waiting = stream.next()
  stream.push('c', 30)
  assert.deepEqual(await waiting, value('c'))
  assert.deepEqual([stream.queuedBytes, seen.taken], [0, 60])
})

test('what has arrived is read before the end is told', async () => {
  const { stream } = bench()
  stream.push('a', 1)
  stream.finish()
  stream.push('too late', 1)
  assert.deepEqual(await Array.fromAsync(stream), ['a'])
  assert.deepEqual(await stream.next(), done)
})

test('what has arrived is read before a failure is told, once', async () => {
  const { stream } = bench()
  stream.push('a', 1)
  stream.finish(lost)
  stream.finish()
  assert.deepEqual(await stream.next(), value('a'))
  await assert.rejects(stream.next(), lost)
  assert.deepEqual(await stream.next(), done)
})

test('an end reaches a reader that waits', async () => {
  const good = bench()
  const waiting = good.stream.next()
  good.stream.finish()
  assert.deepEqual(await waiting, done)
  const bad = bench()
  const failing = bad.stream.next()
  bad.stream.finish(lost)
  await assert.rejects(failing, lost)
})

test('the sender is granted nothing more once it is done', async () => {
  const { stream, seen } = bench()
  stream.push('a', 10)
  stream.finish()
  await stream.next()
  assert.equal(seen.taken, 0)
})

test('a reader that leaves is told about once, and what it left is dropped', async () => {
  const { stream, seen } = bench()
  stream.push('a', 10)
  stream.push('b', 10)
  for await (const _ of stream) break
  await stream.return()
  stream.push('c', 10)
  stream.finish(lost)
  assert.deepEqual(await stream.next(), done)
  assert.deepEqual([seen.left, seen.taken, stream.queuedBytes], [1, 10, 0])
})

test('a reader that leaves behind the end is nobody that left, and hears of no failure', async () => {
  const { stream, seen } = bench()
  stream.push('a', 10)
  stream.finish(lost)
  await stream.return()
  assert.deepEqual(await stream.next(), done)
  assert.equal(seen.left, 0)
})

test('leaving ends a read that waits', async () => {
  const { stream } = bench()
  const waiting = stream.next()
  await stream.return()
  assert.deepEqual(await waiting, done)
})

test('reads that were begun at once get their elements in turn', async () => {
  const { stream } = bench()
  const reads = [stream.next(), stream.next(), stream.next()]
  stream.push('a', 1)
  stream.push('b', 1)
  stream.finish()
  assert.deepEqual(await Promise.all(reads), [value('a'), value('b'), done])
})

test('however pushes and reads are mixed, all arrives in order and is counted', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ push: fc.nat(600), read: fc.nat(600) }), { maxLength: 8 }),
      async (steps) => {
        const { stream, seen } = bench()
        let pushed = 0
        let read = 0
        for (const step of steps) {
          for (let n = 0; n < step.push; n++) stream.push(pushed++, 3)
          for (let n = 0; n < step.read && read < pushed; n++) {
            assert.deepEqual(await stream.next(), value(read++))
          }
          assert.deepEqual([stream.queuedBytes, seen.taken], [(pushed - read) * 3, read * 3])
        }
        stream.finish()
        for await (const item of stream) assert.equal(item, read++)
        assert.equal(read, pushed)
      },
    ),
    { numRuns: 20 },
  )
})

test('what several streams hold is counted together, until it is taken or they end', async () => {
  const unread = { bytes: 0 }
  const make = () => new IncomingStream({ windowBytes: 1_000, grant() {}, onLeft() {}, unread })
  const [first, second, third, fourth] = [make(), make(), make(), make()]
  for (const stream of [first, second, third, fourth]) {
    stream.push('a', 10)
    stream.push('b', 36)
  }
  // Each element takes 64 bytes beside those on the wire.
  assert.deepEqual([unread.bytes, first.heldBytes], [4 * 174, 174])
  await first.next()
  assert.equal(unread.bytes, 3 * 174 + 100)
  await first.return()
  assert.equal(unread.bytes, 3 * 174)
  second.abort(lost)
  assert.equal(unread.bytes, 2 * 174)
  third.finish()
  assert.deepEqual([unread.bytes, third.heldBytes], [174, 174])
  assert.deepEqual([await third.next(), await third.next()], [value('a'), value('b')])
  assert.deepEqual(await third.next(), done)
  assert.equal(unread.bytes, 174)
  await fourth.next()
  await fourth.next()
  fourth.finish()
  assert.equal(unread.bytes, 0)
  const waiting = make()
  const read = waiting.next()
  waiting.push('c', 10)
  assert.deepEqual([await read, unread.bytes], [value('c'), 0])
})
