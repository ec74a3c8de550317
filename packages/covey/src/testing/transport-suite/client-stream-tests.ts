import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import type { StreamSource } from '../../contract/client.ts'
import { CoveyError } from '../../error/covey-error.ts'
import { until } from '../until.ts'
import { watched } from './source.ts'
import { type Check, hasCode } from './transport-bench.ts'
import { untilLate } from './until-late.ts'

/** Streams of inputs with one result: order, checks, flow control, and all the ways to end one. */
export function clientStreamTests(check: Check): void {
  inputTests(check)
  failureTests(check)
  endTests(check)
}

// size: a list of tests, each a few lines
function inputTests(check: Check): void {
  check('a handler gets every input in order, and its caller one result', async ({ api, seen }) => {
    const numbers = Array.from({ length: 1_000 }, (_, n) => ({ n }))
    assert.deepEqual(await api.gather(numbers), numbers)
    assert.deepEqual([seen.taken, seen.ends], [1_000, ['end']])
  })

  check('inputs come from whatever can be iterated', async ({ api }) => {
    const lines = ['a', 'b', 'c']
    const sources: [string, StreamSource<string>][] = [
      ['list', lines],
      ['set', new Set(lines)],
      ['generator', lines.values()],
      ['Node stream', Readable.from(lines)],
      ['web stream', Readable.toWeb(Readable.from(lines)) as ReadableStream<string>],
    ]
    for (const [what, source] of sources) assert.deepEqual(await api.gather(source), lines, what)
    assert.deepEqual(await api.gather([]), [])
    await assert.rejects(api.gather('text'), /probe\.gather takes a stream of inputs: put a single/)
    await assert.rejects(api.gather(7 as never), TypeError)
  })

  check('binary, dates, bigints, maps and sets survive as inputs', async ({ api }) => {
    const values = [
      new Uint8Array([1, 2, 255]),
      { at: new Date('2026-01-02T03:04:05.678Z'), huge: 2n ** 80n },
      new Map([['a', { b: 1 }]]),
      new Set([1, 'x']),
      null,
    ]
    assert.deepEqual(await api.gather(values), values)
  })

  check('many streams of inputs at once each get their own result', async ({ api }) => {
    const one = async (id: number) => {
      const { source } = watched(20, (n) => `${id}/${n}`)
      assert.deepEqual(
        await api.gather(source),
        Array.from({ length: 20 }, (_, n) => `${id}/${n + 1}`),
      )
    }
    await Promise.all(Array.from({ length: 100 }, (_, id) => one(id)))
  })

  check('neither side sees what the other does to an input later', async ({ api, seen }) => {
    const input = { list: ['mine'] }
    const spoiled = (async function* () {
      yield input
      await until(() => seen.taken === 1, 'the handler has it')
      input.list.push('by the caller')
    })()
    const got = (await api.gather(spoiled)) as (typeof input)[]
    assert.deepEqual(got, [{ list: ['mine'] }])
    got[0]?.list.push('by the caller')
    assert.deepEqual(input.list, ['mine', 'by the caller'])
  })

  check(
    'a handler that does not read holds the source back',
    async ({ api, seen }) => {
      const { source, state } = watched(10_000, (n) => ({ n, pad: 'x'.repeat(1_000) }))
      const result = api.sip(source)
      await until(() => seen.sips.length === 1, 'the handler waits')
      let before = -1
      await until(() => {
        const still = state.made === before
        before = state.made
        return still && state.made > 0
      }, 'the source waits')
      assert.ok(state.made < 200, `${state.made} elements were made ahead`)
      while (seen.taken < 10_000) {
        seen.sips.shift()?.()
        await new Promise((resolve) => setImmediate(resolve))
        if (seen.taken % 1_000 === 0) assert.ok(state.made < seen.taken + 200)
      }
      seen.sips.shift()?.()
      assert.equal(await result, 10_000)
    },
    { limits: { streamWindowBytes: 64 * 1024 } },
  )
}

// size: a list of tests, each a few lines
function failureTests(check: Check): void {
  check('each input is checked, and carries only what the contract names', async ({ api }) => {
    const result = await api.sum([{ n: 1, secret: 'x' } as { n: number }, { n: 2 }])
    assert.deepEqual(result, { sum: 3, keys: 'n' }, 'nor does the result')
  })

  check('an input that does not fit ends the call with method and field', async ({ api, seen }) => {
    const { source, state } = watched(
      1_000_000,
      (n) => ({ n: n === 3 ? 'three' : n }) as { n: number },
    )
    await assert.rejects(api.sum(source), (error: CoveyError) => {
      assert.equal(error.code, 'INVALID_INPUT')
      assert.match(error.message, /^probe\.sum input: n: /)
      return true
    })
    assert.match(seen.ends[0] ?? '', /^INVALID_INPUT: probe\.sum input: n: /)
    await until(() => state.left, 'the source was left')
  })

  check('an input that cannot be sent ends the call, the connection goes on', async ({ api }) => {
    const { source, state } = watched(100, (n) => (n === 2 ? { run: () => 1 } : n))
    await assert.rejects(api.gather(source), hasCode('UNENCODABLE'))
    await until(() => state.left, 'the source was left')
    assert.equal(await api.echo('still here'), 'still here')
  })

  check('what a source throws comes back as it is, and ends the handler', async ({ api, seen }) => {
    const cause = new Error('a secret of the caller')
    const failing = (thrown: unknown) =>
      (async function* () {
        yield 1
        await until(() => seen.taken > 0, 'the handler reads')
        throw thrown
      })()
    await assert.rejects(api.gather(failing(cause)), (error) => error === cause)
    await until(() => seen.ends.length === 1 && seen.aborted === 1, 'the handler was told')
    assert.deepEqual(seen.ends, ['CANCELLED: the source of the inputs failed'])
    const known = new CoveyError('NOT_FOUND', 'no such file')
    await assert.rejects(api.gather(failing(known)), (error) => error === known)
    await until(() => seen.ends.length === 2 && seen.aborted === 2, 'the handler was told again')
    assert.equal(seen.ends[1], 'NOT_FOUND: no such file')
  })

  check('an error of the handler leaves the source', async ({ api, connection }) => {
    const { source, state } = watched(1_000_000, (n) => (n === 3 ? 'fail' : n))
    const error = await api.first(source).catch((thrown: unknown) => thrown)
    assert.ok(api.first.isError(error, 'FULL'))
    assert.deepEqual(error.details, { at: 3 })
    await until(() => state.left && connection.pending === 0, 'the source was left')
  })
}

// size: a list of tests, each a few lines
function endTests(check: Check): void {
  check('a handler may answer before the end of its inputs', async ({ api, connection }) => {
    const { source, state } = watched(1_000_000, (n) => (n === 3 ? 'answer' : n))
    assert.equal(await api.first(source), 3)
    await until(() => state.left && connection.pending === 0, 'the source was left')
    assert.ok(state.made < 1_000_000)
    assert.equal(await api.echo('still here'), 'still here')
  })

  check(
    'cancelling leaves the source and reaches the handler',
    async ({ api, seen, connection }) => {
      const abort = new AbortController()
      const { source, state } = watched(Number.POSITIVE_INFINITY, (n) => n, 'slow')
      const result = api.gather(source, { signal: abort.signal })
      await until(() => seen.taken > 0, 'the handler reads')
      abort.abort()
      await assert.rejects(result, hasCode('CANCELLED'))
      await until(() => state.left && seen.aborted === 1, 'both sides ended')
      assert.deepEqual(seen.ends, ['CANCELLED: cancelled by the caller'])
      assert.equal(connection.pending, 0)
    },
  )

  check('a deadline ends a stream of inputs on both sides', async ({ api, seen }) => {
    const sources: { left: boolean }[] = []
    const ask = (timeoutMs: number) => {
      const { source, state } = watched(Number.POSITIVE_INFINITY, (n) => n, 'slow')
      sources.push(state)
      return api.gather(source, { timeoutMs })
    }
    await untilLate(ask, () => seen.taken > 0)
    const left = () => sources.every((source) => source.left)
    await until(() => left() && seen.aborted > 0 && seen.ends.length > 0, 'both sides ended')
    assert.match(seen.ends[0] ?? '', /^DEADLINE_EXCEEDED: /)
  })

  check('streams that have ended leave no deadline behind', async ({ api, wheel }) => {
    const timeoutMs = 60_000
    await api.gather([1, 2], { timeoutMs })
    for await (const _ of api.talk([1, 2], { timeoutMs }));
    for await (const _ of api.count({ to: 3, pad: 0 }, { timeoutMs }));
    for await (const _ of api.endless(undefined, { timeoutMs })) break
    await until(() => wheel.size === 0, 'no deadline is watched')
  })

  check('draining lets a stream of inputs come to its end', async (bench) => {
    const { api, listener, connection, seen } = bench
    const more = Promise.withResolvers<void>()
    const source = (async function* () {
      yield 1
      await more.promise
      yield 2
    })()
    const result = api.gather(source)
    await until(() => seen.taken === 1, 'the handler reads')
    const drained = listener.drain()
    await until(() => connection.state === 'draining', 'the client was told')
    await assert.rejects(api.gather([1]), hasCode('DRAINING'))
    more.resolve()
    assert.deepEqual(await result, [1, 2])
    await drained
  })

  check('a server that closes leaves the source', async ({ api, listener, seen }) => {
    const { source, state } = watched(Number.POSITIVE_INFINITY, (n) => n, 'slow')
    const result = api.gather(source).catch((error: unknown) => error)
    await until(() => seen.taken > 0, 'the handler reads')
    await listener.close()
    const { code } = (await result) as CoveyError
    assert.ok(['CANCELLED', 'CONNECTION_LOST'].includes(code), code)
    await until(() => state.left && seen.ends.length === 1, 'both sides ended')
  })
}
