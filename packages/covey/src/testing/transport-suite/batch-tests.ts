import assert from 'node:assert/strict'
import type { CoveyError } from '../../error/covey-error.ts'
import { batch } from '../../rpc/batch.ts'
import { until } from '../until.ts'
import { type Check, hasCode } from './transport-bench.ts'
import { untilLate } from './until-late.ts'

/** Calls by name that are made at once. */
// size: a list of tests, each a few lines
export function batchTests(check: Check): void {
  check('the entries of a batch each get their own result', async ({ api }) => {
    const names = Array.from({ length: 200 }, (_, n) => `entry ${n}`)
    const entries = Object.fromEntries(names.map((name) => [name, api.echo.of({ name })]))
    const expected = Object.fromEntries(names.map((name) => [name, { name }]))
    assert.deepEqual(await batch(entries), expected)
    assert.deepEqual(await batch({}), {})
  })

  check('an entry fails alone, with its own error, and no slow one holds others', async (bench) => {
    const { api, seen } = bench
    const { good, gone, slow, wrong } = await batch.settled(
      {
        good: api.echo.of('x'),
        gone: api.fail.of({ how: 'declared' }),
        slow: api.hang.of(undefined, { timeoutMs: 60 }),
        wrong: api.strict.of({ id: 7 } as unknown as { id: string }),
      },
      { timeoutMs: 10_000 },
    )
    assert.deepEqual(good, { ok: true, value: 'x' })
    assert.ok(!gone.ok && api.fail.isError(gone.error, 'GONE'))
    assert.deepEqual(gone.error.details, { id: '7' })
    assert.ok(!slow.ok && slow.error.code === 'DEADLINE_EXCEEDED')
    assert.ok(!wrong.ok && wrong.error.code === 'INVALID_INPUT')
    await until(() => seen.aborted === seen.hanging, 'no handler waits for nobody')
  })

  check('the first failure of a batch cancels its other entries', async (bench) => {
    const { api, seen, connection } = bench
    const abort = new AbortController()
    const others = batch({ one: api.hang.of(), two: api.hang.of() }, { signal: abort.signal })
    others.catch(() => {})
    await until(() => seen.hanging === 2, 'those of another batch run')
    const both = batch({ wait: api.hang.of(), fail: api.fail.of({ how: 'framework' }) })
    await assert.rejects(both, (error: CoveyError) => {
      assert.deepEqual([error.code, error.path], ['NOT_FOUND', 'probe.fail'])
      return true
    })
    await until(() => seen.aborted === 1, 'the other one was cancelled')
    assert.equal(connection.pending, 2, 'those of another batch go on')
    abort.abort()
    await assert.rejects(others, hasCode('CANCELLED'))
  })

  check('what ends a batch ends its entries', async ({ api, seen, connection }) => {
    const abort = new AbortController()
    const entries = { one: api.hang.of(), two: api.hang.of() }
    const given = batch(entries, { signal: abort.signal })
    await until(() => seen.hanging === 2, 'both run')
    abort.abort()
    await assert.rejects(given, hasCode('CANCELLED'))
    await until(() => seen.aborted === 2 && connection.pending === 0, 'both were cancelled')
    await untilLate(
      (timeoutMs) => batch(entries, { timeoutMs }),
      () => seen.hanging > 2,
    )
    const over = () => seen.aborted === seen.hanging && connection.pending === 0
    await until(over, 'they were cancelled too')
  })
}
