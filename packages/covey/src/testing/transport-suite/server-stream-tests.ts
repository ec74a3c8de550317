import assert from 'node:assert/strict'
import { until } from '../until.ts'
import type { Check } from './transport-bench.ts'

/** Streams of results: order, context, flow control, and both ways to end one. */
// size: a list of tests, each a few lines
export function serverStreamTests(check: Check): void {
  check('a stream brings every element in order', async ({ api }) => {
    const numbers: number[] = []
    for await (const number of api.count({ to: 1_000, pad: 0 })) numbers.push(number)
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
