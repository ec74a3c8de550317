import assert from 'node:assert/strict'
import type { CoveyError } from '../../error/covey-error.ts'
import { until } from '../until.ts'
import { type Check, hasCode } from './transport-bench.ts'
import { untilLate } from './until-late.ts'

/** Streams of results: order, context, flow control, and both ways to end one. */
// size: a list of tests, each a few lines
export function serverStreamTests(check: Check): void {
  check('a stream brings every element in order', async ({ api }) => {
    const numbers: number[] = []
    for await (const number of api.count({ to: 1_000, pad: 0 })) numbers.push(number as number)
    assert.deepEqual(
      numbers,
      Array.from({ length: 1_000 }, (_, index) => index + 1),
    )
  })

  check('the handler of a stream is within its call to the end', async ({ api }) => {
    const traces: string[] = []
    for await (const trace of api.traces()) traces.push(trace)
    assert.equal(traces.length, 2)
    assert.equal(traces[0], traces[1])
  })

  check('values of all kinds survive in a stream', async ({ api }) => {
    const values = [
      new Uint8Array([1, 2, 255]),
      { at: new Date('2026-01-02T03:04:05.678Z'), huge: 2n ** 80n },
      new Map([['a', { b: 1 }]]),
      new Set([1, 'x']),
      null,
      'ünï😀',
    ]
    assert.deepEqual(await Array.fromAsync(api.replay(values)), values)
    assert.deepEqual(await Array.fromAsync(api.replay([])), [])
  })

  check('each element is checked, and carries only what the contract names', async ({ api }) => {
    const numbers: unknown[] = []
    const reading = (async () => {
      for await (const number of api.leaks()) numbers.push(number)
    })()
    await assert.rejects(reading, (error: CoveyError) => {
      assert.equal(error.code, 'INVALID_OUTPUT')
      return true
    })
    assert.deepEqual(numbers, [{ n: 1 }])
  })

  check('an error comes behind all elements before it, and is typed', async ({ api }) => {
    const numbers: number[] = []
    try {
      for await (const number of api.breaks()) numbers.push(number)
      assert.fail('the stream ended well')
    } catch (error) {
      assert.ok(api.breaks.isError(error, 'FULL'))
      assert.deepEqual(error.details, { at: 3 })
    }
    assert.deepEqual(numbers, [1, 2, 3])
  })

  check('many streams at once each bring their own elements', async ({ api }) => {
    const lists = Array.from({ length: 100 }, (_, id) =>
      Array.from({ length: 20 }, (__, n) => [id, n]),
    )
    assert.deepEqual(
      await Promise.all(lists.map((list) => Array.fromAsync(api.replay(list)))),
      lists,
    )
  })

  check('cancelling ends a stream on both sides', async ({ api, seen, connection }) => {
    const abort = new AbortController()
    const reading = Array.fromAsync(api.endless(undefined, { signal: abort.signal }))
    await until(() => seen.made > 3, 'it runs')
    abort.abort()
    await assert.rejects(reading, hasCode('CANCELLED'))
    await until(() => seen.aborted === 1 && connection.pending === 0, 'both sides ended')
  })

  check('a deadline ends a stream on both sides', async ({ api, seen, connection }) => {
    const ask = (timeoutMs: number) => Array.fromAsync(api.endless(undefined, { timeoutMs }))
    await untilLate(ask, () => seen.made > 0)
    await until(() => seen.aborted > 0 && connection.pending === 0, 'both sides ended')
  })

  check('leaving a stream ends its handler', async ({ api, seen, connection }) => {
    for await (const number of api.endless()) if (number === 3) break
    await until(() => seen.aborted === 1, 'the handler saw its signal abort')
    await until(() => connection.pending === 0, 'nothing is pending')
  })

  check(
    'a reader that waits holds the handler back',
    async ({ api, seen }) => {
      const stream = api.count({ to: 10_000, pad: 1_000 })[Symbol.asyncIterator]()
      await stream.next()
      let before = -1
      await until(() => {
        const still = seen.made === before
        before = seen.made
        return still
      }, 'the handler waits')
      assert.ok(seen.made < 200, `${seen.made} elements were made ahead`)
      let count = 1
      for (let step = await stream.next(); !step.done; step = await stream.next()) count += 1
      assert.equal(count, 10_000)
    },
    { limits: { streamWindowBytes: 64 * 1024 } },
  )
}
