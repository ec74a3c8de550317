import assert from 'node:assert/strict'
import { systemClock } from '../../base/clock.ts'
import { Call } from '../../call/call.ts'
import type { CoveyError } from '../../error/covey-error.ts'
import { until } from '../until.ts'
import { probe } from './probe.ts'
import { type Check, hasCode } from './transport-bench.ts'
import { untilLate } from './until-late.ts'

/** Values, errors and context of calls with one input and one result. */
// size: a list of tests, each a few lines
export function callTests(check: Check): void {
  check('a value comes back as it was sent', async ({ api }) => {
    const value = {
      n: 1,
      f: 1.5,
      neg: -7,
      big: 2 ** 40,
      s: 'ünï😀',
      list: [1, [2, null]],
      yes: true,
    }
    assert.deepEqual(await api.echo(value), value)
  })

  check('binary, dates, bigints, maps and sets survive', async ({ api }) => {
    const value = {
      bytes: new Uint8Array([1, 2, 255]),
      at: new Date('2026-01-02T03:04:05.678Z'),
      huge: 2n ** 80n,
      map: new Map([['a', { b: 1 }]]),
      set: new Set([1, 'x']),
    }
    assert.deepEqual(await api.echo(value), value)
  })

  check('many calls at once each get their own answer', async ({ api }) => {
    const answers = await Promise.all(Array.from({ length: 500 }, (_, n) => api.echo({ n })))
    assert.deepEqual(
      answers,
      Array.from({ length: 500 }, (_, n) => ({ n })),
    )
  })

  check('input that does not fit is refused with method and field', async ({ api }) => {
    const wrong = { id: 7 } as unknown as { id: string }
    await assert.rejects(api.strict(wrong), (error: CoveyError) => {
      assert.equal(error.code, 'INVALID_INPUT')
      assert.match(error.message, /probe\.strict input: id: /)
      return true
    })
  })

  check('output carries only what the contract names', async ({ api }) => {
    assert.deepEqual(await api.leak(), { name: 'ada' })
  })

  check('declared errors are typed, others show nothing of the inside', async ({ api }) => {
    const declared = await api.fail({ how: 'declared' }).catch((error: unknown) => error)
    assert.ok(api.fail.isError(declared, 'GONE'))
    assert.deepEqual(declared.details, { id: '7' })
    await assert.rejects(api.fail({ how: 'framework' }), hasCode('NOT_FOUND'))
    for (const how of ['unknown', 'late'] as const) {
      const error = (await api.fail({ how }).catch((thrown: unknown) => thrown)) as CoveyError
      assert.equal(error.code, 'INTERNAL')
      assert.doesNotMatch(JSON.stringify(error.toData()), /secret of the inside/)
    }
  })

  check('an attempt says which it is', async ({ connection }) => {
    const deadlineMs = systemClock.monotonicMs() + 5_000
    const call = new Call(probe.methods.describe, undefined, { deadlineMs })
    const again = call.again(call, 3)
    const seen = (await connection.invoke(again)) as { attempt: number; traceId: string }
    assert.deepEqual([seen.attempt, seen.traceId], [3, call.trace.traceId])
  })

  check('a deadline ends the call on both sides', async ({ api, seen }) => {
    const ask = (timeoutMs: number) => api.hang(undefined, { timeoutMs })
    await untilLate(ask, () => seen.hanging > 0)
    await until(() => seen.aborted === seen.hanging, 'the handler saw its signal abort')
  })

  check('cancelling reaches the handler', async ({ api, seen, connection }) => {
    const abort = new AbortController()
    const call = api.hang(undefined, { signal: abort.signal })
    await until(() => seen.hanging === 1, 'the handler runs')
    abort.abort()
    await assert.rejects(call, hasCode('CANCELLED'))
    await until(() => seen.aborted === 1, 'the handler saw its signal abort')
    assert.equal(connection.pending, 0)
  })

  check('values that cannot be sent are refused, the connection goes on', async ({ api }) => {
    await assert.rejects(api.echo({ run: () => 1 }), hasCode('UNENCODABLE'))
    assert.equal(await api.echo('still here'), 'still here')
  })
}
