import assert from 'node:assert/strict'
import { until } from '../until.ts'
import { watched } from './source.ts'
import { type Check, hasCode } from './transport-bench.ts'
import { untilLate } from './until-late.ts'

/** Streams both ways: that neither direction waits for the other, and how either side ends both. */
export function duplexTests(check: Check): void {
  directionTests(check)
  endTests(check)
}

// size: a list of tests, each a few lines
function directionTests(check: Check): void {
  check(
    'both directions go on at once: each input may depend on the last answer',
    async (bench) => {
      const { api, seen } = bench
      const answers: number[] = []
      let wake = () => {}
      async function* source() {
        for (let n = 1; n <= 100; n++) {
          yield n
          while (answers.length < n) await new Promise<void>((resolve) => (wake = resolve))
        }
      }
      for await (const answer of api.talk(source())) {
        answers.push(answer as number)
        wake()
      }
      assert.deepEqual(
        answers,
        Array.from({ length: 100 }, (_, n) => n + 1),
      )
      assert.deepEqual(seen.ends, ['end'])
    },
  )

  check('values of all kinds survive both ways', async ({ api }) => {
    const values = [
      new Uint8Array([0, 255]),
      new Date(7),
      2n ** 70n,
      new Map([[1, 'a']]),
      new Set('b'),
    ]
    assert.deepEqual(await Array.fromAsync(api.talk(values)), values)
  })

  check('the end of the inputs is not the end of the results', async ({ api, seen }) => {
    assert.deepEqual(await Array.fromAsync(api.linger([1, 2])), [1, 2, -1, -2, -3])
    assert.deepEqual(seen.ends, ['end'])
  })

  check('a handler may go on without its inputs', async ({ api, connection }) => {
    const { source, state } = watched(1_000_000, (n) => n)
    const numbers = await Array.fromAsync(api.deaf(source))
    assert.deepEqual([numbers.length, numbers.at(-1)], [1_000, 1_000])
    await until(() => state.left && connection.pending === 0, 'the source was left')
  })

  check(
    'a reader that waits holds handler and source back',
    async ({ api, seen }) => {
      const { source, state } = watched(5_000, (n) => ({ n, pad: 'x'.repeat(1_000) }))
      const answers = api.talk(source)[Symbol.asyncIterator]()
      await answers.next()
      let before = -1
      await until(() => {
        const still = state.made === before
        before = state.made
        return still
      }, 'the source waits')
      assert.ok(state.made < 400, `${state.made} inputs and ${seen.made} results were made ahead`)
      let count = 1
      for (let step = await answers.next(); !step.done; step = await answers.next()) count += 1
      assert.equal(count, 5_000)
    },
    { limits: { streamWindowBytes: 64 * 1024 } },
  )

  check('neither side sees what the other does to an element later', async ({ api }) => {
    const spoiled = (await api.spoil({ list: [1] })) as { list: unknown[] }
    const input = { list: [1] }
    const given = (await api.spoil(input)) as typeof input
    await new Promise((resolve) => setTimeout(resolve, 5))
    assert.deepEqual([input.list, given.list], [[1], [1, 'by the handler']])
    assert.deepEqual(spoiled.list, [1, 'by the handler'])
    const sent = { list: [1] }
    for await (const got of api.talk([sent])) {
      ;(got as typeof sent).list.push(2)
      assert.deepEqual(sent.list, [1])
    }
  })
}

// size: a list of tests, each a few lines
function endTests(check: Check): void {
  check('leaving the results leaves the inputs as well', async ({ api, seen, connection }) => {
    const { source, state } = watched(Number.POSITIVE_INFINITY, (n) => n, 'slow')
    for await (const answer of api.talk(source)) if (answer === 3) break
    await until(() => state.left && seen.aborted === 1, 'both sides ended')
    // Where the handler was about to give an element, it is ended there and reads no more.
    const reason = 'CANCELLED: the reader left the stream'
    for (const end of seen.ends) assert.equal(end, reason)
    await until(() => connection.pending === 0, 'nothing is pending')
  })

  check('what a source throws comes out of the results', async ({ api, seen }) => {
    const cause = new Error('a secret of the caller')
    const answers: unknown[] = []
    async function* source() {
      yield 1
      await until(() => answers.length === 1, 'the answer is there')
      throw cause
    }
    await assert.rejects(
      async () => {
        for await (const answer of api.talk(source())) answers.push(answer)
      },
      (error) => error === cause,
    )
    await until(() => seen.aborted === 1, 'the handler saw its signal abort')
    assert.deepEqual(seen.ends, ['CANCELLED: the source of the inputs failed'])
  })

  check('a deadline ends both directions on both sides', async ({ api, seen }) => {
    const sources: { left: boolean }[] = []
    const ask = (timeoutMs: number) => {
      const { source, state } = watched(Number.POSITIVE_INFINITY, (n) => n, 'slow')
      sources.push(state)
      return Array.fromAsync(api.talk(source, { timeoutMs }))
    }
    await untilLate(ask, () => seen.taken > 0)
    const left = () => sources.every((source) => source.left)
    await until(() => left() && seen.aborted > 0, 'both sides ended')
  })

  check('draining ends what has no end by itself', async ({ api, listener, seen, connection }) => {
    const { source, state } = watched(Number.POSITIVE_INFINITY, (n) => n, 'slow')
    const reading = Array.fromAsync(api.talk(source)).catch((error: unknown) => error)
    await until(() => seen.taken > 0, 'the handler reads')
    await listener.drain()
    assert.ok(hasCode('CONNECTION_LOST')(await reading), String(await reading))
    await until(() => state.left && connection.pending === 0, 'the source was left')
  })
}
