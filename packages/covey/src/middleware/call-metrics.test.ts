import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Call } from '../call/call.ts'
import type { Handler } from '../call/handler.ts'
import type { CallKind, MethodRef } from '../call/method-ref.ts'
import { CoveyError } from '../error/covey-error.ts'
import { CallMetrics } from '../observe/call-metrics.ts'
import { FakeClock } from '../testing/fake-clock.ts'
import { callMetrics } from './call-metrics.ts'

function bench(kind: CallKind, handler: Handler) {
  const clock = new FakeClock()
  const metrics = new CallMetrics()
  const method: MethodRef = { service: 'a', name: 'b', path: 'a.b', kind, idempotent: false }
  const run = callMetrics(metrics, 'a.b')(handler)
  return { clock, metrics, run: () => run(new Call(method, undefined, { clock })) }
}

const broken = new CoveyError('NOT_FOUND', 'nothing')

test('a call counts as running until it ends, then with its time', async () => {
  const gate = Promise.withResolvers<void>()
  const { clock, metrics, run } = bench('unary', () => gate.promise)
  assert.deepEqual(metrics.snapshot(), [])
  const done = run()
  assert.equal(metrics.snapshot()[0]?.running, 1)
  await clock.advance(40)
  gate.resolve()
  await done
  const [figures] = metrics.snapshot()
  assert.deepEqual([figures?.running, figures?.calls, figures?.maxMs], [0, 1, 40])
  assert.equal(figures?.p50Ms, 40)
})

test('errors are counted by code, unknown ones as INTERNAL', async () => {
  const thrown = [broken, new Error('oops'), broken]
  const { metrics, run } = bench('unary', async () => {
    throw thrown.pop()
  })
  for (let n = 0; n < 3; n++) await run().catch(() => {})
  const [figures] = metrics.snapshot()
  assert.deepEqual(figures?.errors, { NOT_FOUND: 2, INTERNAL: 1 })
  assert.deepEqual([figures?.running, figures?.calls], [0, 3])
})

test('a stream ends when its reader is done, leaves, or gets an error', async () => {
  const { metrics, run } = bench('serverStream', async () =>
    (async function* () {
      yield 1
      yield 2
      throw broken
    })(),
  )
  const open = async () => (await run()) as AsyncIterable<number>
  const left = await open()
  assert.equal(metrics.snapshot()[0]?.running, 1)
  for await (const _ of left) break
  const unread = (await open())[Symbol.asyncIterator]()
  await unread.return?.()
  const failing = await open()
  await assert.rejects(async () => {
    for await (const _ of failing);
  }, broken)
  const [figures] = metrics.snapshot()
  assert.deepEqual([figures?.running, figures?.calls, figures?.errors], [0, 3, { NOT_FOUND: 1 }])
})

test('a stream that cannot be opened counts as a failed call', async () => {
  const { metrics, run } = bench('serverStream', () => Promise.reject(broken))
  await assert.rejects(run(), broken)
  const [figures] = metrics.snapshot()
  assert.deepEqual([figures?.running, figures?.errors], [0, { NOT_FOUND: 1 }])
})
