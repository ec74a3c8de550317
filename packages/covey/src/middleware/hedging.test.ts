import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAttempt } from '../call/attempt-mark.ts'
import { Call, type CallInit } from '../call/call.ts'
import { compose } from '../call/handler.ts'
import { noMetadata } from '../call/metadata.ts'
import type { Repetition } from '../call/repetition.ts'
import { defineContract } from '../contract/define-contract.ts'
import { serverStream, unary } from '../contract/method.ts'
import { CoveyError } from '../error/covey-error.ts'
import {
  arose,
  type Outcome,
  type ScriptedAttemptsOptions,
  said,
  scriptedAttempts,
} from '../testing/scripted-attempts.ts'
import { hedging } from './hedging.ts'
import { retry } from './retry.ts'

const { methods } = defineContract('t', {
  get: unary({ idempotent: true }),
  add: unary(),
  watch: serverStream({ idempotent: true }),
})

const lost = arose('CONNECTION_LOST')
const two: Repetition = { maxAttempts: undefined, hedge: { afterMs: 20, attempts: 2 } }

interface Bench extends ScriptedAttemptsOptions {
  readonly method?: Call['method']
  readonly init?: CallInit
}

function bench(script: readonly Outcome[], options: Bench = {}) {
  const { method = methods.get, init } = options
  const scripted = scriptedAttempts(script, options)
  const { clock, handler, options: rules } = scripted
  const call = new Call(method, undefined, { clock, repetition: two, ...init })
  const invoke = compose([hedging(rules), retry(rules)], handler)
  const settle = async (): Promise<unknown> => {
    const result = invoke(call).then(
      (value) => value,
      (error) => error,
    )
    await clock.advance(60_000)
    assert.equal(clock.waiting, 0, 'no timer is left')
    return result
  }
  /** Answers, or fails, after a while, unless the attempt is cancelled. */
  const after = (ms: number, outcome: unknown) => (attempt: Call) =>
    new Promise((resolve) => {
      attempt.onCancel(resolve)
      clock.after(ms, () => {
        attempt.offCancel(resolve)
        resolve(outcome)
      })
    })
  return { ...scripted, call, invoke, settle, after }
}

/** The same, where the script needs the clock. */
function timed(
  script: (after: ReturnType<typeof bench>['after']) => readonly Outcome[],
  options: Bench = {},
) {
  const outcomes: Outcome[] = []
  const made = bench(outcomes, options)
  outcomes.push(...script(made.after))
  return made
}

test('a quick answer is the only attempt, and leaves nothing', async () => {
  const { settle, attempts, call } = timed((after) => [after(19, 'a')])
  assert.equal(await settle(), 'a')
  assert.equal(attempts.length, 1)
  assert.equal(attempts[0]?.cancelled, undefined)
  assert.equal(call.cancelled, undefined)
})

test('no timer outlives the answer', async () => {
  const { invoke, call, clock } = bench(['a'])
  assert.equal(await invoke(call), 'a')
  assert.equal(clock.waiting, 0)
})

test('a slow one gets company elsewhere; the first answer counts and the other is cancelled', async () => {
  for (const [first, second, answer, loser] of [
    [500, 10, 'b', 0],
    [25, 100, 'a', 1],
  ] as const) {
    const scripted = timed((after) => [after(first, 'a'), after(second, 'b')])
    const { settle, attempts, timesMs, asked } = scripted
    assert.equal(await settle(), answer)
    assert.deepEqual(
      [asked(), timesMs],
      [
        ['a', 'b'],
        [0, 20],
      ],
    )
    assert.equal(attempts[loser]?.cancelled?.code, 'CANCELLED')
    assert.equal(attempts[1 - loser]?.cancelled, undefined)
    assert.deepEqual(
      attempts.map(({ attempt }) => attempt),
      [1, 2],
    )
  }
})

test('as many are on their way as asked for, one after the other', async () => {
  const repetition = { maxAttempts: undefined, hedge: { afterMs: 20, attempts: 3 } }
  const slow = (after: ReturnType<typeof bench>['after']) =>
    ['a', 'b', 'c'].map((id) => after(900, id))
  const { settle, timesMs } = timed(slow, { init: { repetition } })
  assert.equal(await settle(), 'a')
  assert.deepEqual(timesMs, [0, 20, 40])
  const { settle: settleTwo, timesMs: twoMs } = timed(slow)
  assert.equal(await settleTwo(), 'a')
  assert.deepEqual(twoMs, [0, 20])
})

test('without a delay all are sent at once', async () => {
  const repetition = { maxAttempts: undefined, hedge: { afterMs: 0, attempts: 2 } }
  const { settle, timesMs } = timed((after) => [after(9, 'a'), after(5, 'b')], {
    init: { repetition },
  })
  assert.equal(await settle(), 'b')
  assert.deepEqual(timesMs, [0, 0])
})

test('nobody else is there: there is one attempt', async () => {
  const { settle, attempts } = timed((after) => [after(900, 'a')], { instances: ['a'] })
  assert.equal(await settle(), 'a')
  assert.equal(attempts.length, 1)
})

test('what may not be hedged is not, whatever is asked for', async () => {
  for (const [method, init] of [
    [methods.add, {}],
    [methods.get, { mode: 'submit' }],
    [methods.get, { mode: 'notify' }],
    [methods.get, { metadata: withAttempt(noMetadata, 2) }],
  ] as const) {
    const { settle, attempts } = timed((after) => [after(900, 'a'), after(1, 'b')], {
      method,
      init,
    })
    assert.equal(await settle(), 'a')
    assert.equal(attempts.length, 1)
  }
  const stream = async function* () {}
  const { invoke, call, attempts } = bench([stream], { method: methods.watch })
  await invoke(call)
  assert.equal(attempts[0], call)
})

test('the budget is for these attempts as for others, and a call counts once', async () => {
  const policy = { budgetPercent: 0, minPerSecond: 0 }
  const refused = timed((after) => [after(900, 'a'), after(1, 'b')], { policy })
  assert.equal(await refused.settle(), 'a')
  assert.equal(refused.attempts.length, 1)
  const allowed = timed((after) => [after(900, 'a'), after(1, 'b')])
  const { invoke, call, clock, options } = allowed
  const answer = invoke(call)
  await clock.advance(50)
  assert.equal(await answer, 'b')
  options.policy.change({ budgetPercent: 0, minPerSecond: 0 })
  assert.equal(options.budget.take(), false)
  assert.match(options.budget.describe('t'), /^1 of 1 calls/)
})

test('an answer that is an error is one: the other attempt does not change it', async () => {
  const gone = said('USER_GONE', { id: '7' })
  const { settle, attempts } = timed((after) => [after(900, 'a'), after(1, gone)])
  assert.equal(await settle(), gone)
  assert.equal(attempts[0]?.cancelled?.code, 'CANCELLED')
})

test('a failure brings the next attempt, as without hedging, and the other one goes on', async () => {
  const alone = timed((after) => [after(5, lost), after(5, 'b')])
  assert.equal(await alone.settle(), 'b')
  assert.deepEqual(alone.timesMs, [0, 30])
  const beside = timed((after) => [after(900, 'a'), after(1, said('DRAINING')), after(50, 'c')])
  assert.equal(await beside.settle(), 'c')
  assert.deepEqual(beside.timesMs, [0, 20, 21])
  // The third takes the place of the second, which nobody had work with.
  assert.deepEqual(
    beside.attempts.map(({ attempt }) => attempt),
    [1, 2, 2],
  )
  const first = timed((after) => [after(30, said('DRAINING')), after(900, 'b'), after(50, 'c')])
  assert.equal(await first.settle(), 'c')
  assert.deepEqual(
    first.attempts.map(({ attempt }) => attempt),
    [1, 2, 1],
  )
  const last = timed((after) => [after(900, 'a'), after(1, lost), after(1, lost)])
  assert.equal(await last.settle(), 'a', 'the slow one is still good for an answer')
})

test('when all have failed the error says how many, and no more than allowed are made', async () => {
  const { settle, attempts } = timed((after) => Array(9).fill(after(30, lost)))
  const told = (await settle()) as CoveyError
  assert.deepEqual([told.code, attempts.length], ['CONNECTION_LOST', 3])
  assert.deepEqual(told.details, { attempts: 3, gaveUp: 'attempts' })
  assert.equal((told.cause as AggregateError).errors.length, 3)
  const repetition = { maxAttempts: 1, hedge: { afterMs: 20, attempts: 2 } }
  const fewer = timed((after) => Array(9).fill(after(30, lost)), { init: { repetition } })
  await fewer.settle()
  assert.equal(fewer.attempts.length, 2)
})

test('with `retry: false` others are asked beside it, but what failed is not repeated', async () => {
  const repetition = { maxAttempts: 1, hedge: { afterMs: 20, attempts: 3 } }
  const early = timed((after) => [after(5, lost), after(1, 'b')], { init: { repetition } })
  assert.equal(await early.settle(), lost)
  assert.deepEqual(early.timesMs, [0])
  const refused = said('UNAVAILABLE')
  const notRun = timed((after) => [after(5, refused), after(1, 'b')], { init: { repetition } })
  assert.equal(await notRun.settle(), refused)
  assert.deepEqual(notRun.timesMs, [0])
  const beside = timed((after) => [after(60, lost), after(900, 'b'), after(900, 'c')], {
    init: { repetition },
  })
  assert.equal(await beside.settle(), 'b')
  assert.deepEqual(beside.timesMs, [0, 20, 40])
})

test('the process is kept while the only attempt is one to come, and no longer', async () => {
  const kept = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length
  const before = kept()
  const again = timed((after) => [after(5, lost), 'b'])
  const answer = again.invoke(again.call)
  assert.equal(kept(), before, 'the attempt that is on its way has a connection')
  await again.clock.advance(10)
  assert.equal(kept(), before + 1)
  await again.clock.advance(50)
  assert.equal(await answer, 'b')
  assert.equal(kept(), before)

  const given = timed((after) => [after(5, lost), 'b'])
  const left = assert.rejects(given.invoke(given.call), { code: 'CANCELLED' })
  await given.clock.advance(10)
  assert.equal(kept(), before + 1)
  given.call.cancel(new CoveyError('CANCELLED', 'enough'))
  await left
  assert.equal(kept(), before)
})

test('what nobody was there to take fails at once', async () => {
  const nobody = (attempt: Call) => {
    attempt.sentTo = undefined
    return arose('UNAVAILABLE')
  }
  const { invoke, call, attempts } = bench([nobody])
  await assert.rejects(invoke(call), { code: 'UNAVAILABLE' })
  assert.equal(attempts.length, 1)
})

test('a call that is cancelled ends with its reason, and all its attempts with it', async () => {
  const reason = new CoveyError('DEADLINE_EXCEEDED', 'over')
  const { invoke, call, clock, attempts } = timed((after) => [after(900, 'a'), after(900, 'b')])
  const result = assert.rejects(invoke(call), reason)
  await clock.advance(30)
  call.cancel(reason)
  await result
  assert.deepEqual(
    attempts.map(({ cancelled }) => cancelled),
    [reason, reason],
  )
  const before = timed((after) => [after(900, 'a')])
  before.call.cancel(reason)
  await assert.rejects(before.invoke(before.call), reason)
  assert.equal(before.attempts.length, 0)
})

test('a channel that throws at once is a failure like others', async () => {
  const { options, call } = bench([])
  const invoke = hedging(options)(() => {
    throw arose('UNAVAILABLE')
  })
  await assert.rejects(invoke(call), { code: 'UNAVAILABLE' })
})
