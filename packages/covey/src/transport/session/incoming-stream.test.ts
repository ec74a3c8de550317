import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { CoveyError } from '../../error/covey-error.ts'
import { IncomingStream } from './incoming-stream.ts'

function bench() {
  const seen = { taken: 0, left: 0 }
  const stream = new IncomingStream({
    onTaken: (bytes) => {
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
