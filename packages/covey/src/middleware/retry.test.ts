import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAttempt } from '../call/attempt-mark.ts'
import { Call, type CallInit } from '../call/call.ts'
import { InputSource } from '../call/input-source.ts'
import { noMetadata, toMetadata } from '../call/metadata.ts'
import { once } from '../call/repetition.ts'
import { defineContract } from '../contract/define-contract.ts'
import { clientStream, unary } from '../contract/method.ts'
import { CoveyError } from '../error/covey-error.ts'
import {
  arose,
  type Outcome,
  type ScriptedAttemptsOptions,
  said,
  scriptedAttempts,
} from '../testing/scripted-attempts.ts'
import { retry } from './retry.ts'

const { methods } = defineContract('t', {
  get: unary({ idempotent: true }),
  add: unary(),
  upload: clientStream({ idempotent: true }),
})

interface Bench extends ScriptedAttemptsOptions {
  readonly method?: Call['method']
  readonly init?: CallInit
  readonly input?: unknown
}

function bench(script: readonly Outcome[], options: Bench = {}) {
  const { method = methods.get, init, input } = options
  const scripted = scriptedAttempts(script, options)
  const { clock, handler } = scripted
  const call = new Call(method, input, { clock, deadlineMs: 5_000, ...init })
  const invoke = retry(scripted.options)(handler)
  /** What becomes of the call, at the latest in a minute. */
  const settle = async (): Promise<unknown> => {
    const result = invoke(call).then(
      (value) => value,
      (error) => error,
    )
    await clock.advance(60_000)
    return result
  }
  return { ...scripted, call, invoke, settle }
}

async function failure(bench: { settle(): Promise<unknown> }): Promise<CoveyError> {
  const error = await bench.settle()
  assert.ok(error instanceof CoveyError, String(error))
  return error
}

test('a call that succeeds is sent once, as it is', async () => {
  const { call, attempts, settle } = bench(['done'])
  assert.equal(await settle(), 'done')
  assert.deepEqual([attempts.length, attempts[0]], [1, call])
})

// Who failed how, whether the method is idempotent, then: who is asked in all, and after how many milliseconds.
const table: readonly [CoveyError, boolean, string, number][] = [
  [said('DRAINING'), false, 'ab', 0],
  [arose('UNAVAILABLE'), false, 'ab', 0],
  [arose('RESOURCE_EXHAUSTED'), false, 'ab', 0],
  [said('UNAVAILABLE'), false, 'ab', 0],
  [said('RESOURCE_EXHAUSTED'), false, 'ab', 0],
  [said('RESOURCE_EXHAUSTED', { retryAfterMs: 100 }), false, 'ab', 0],
  [said('RESOURCE_EXHAUSTED', { retryAfterMs: 0 }), false, 'ab', 0],
  [said('RESOURCE_EXHAUSTED', { retryAfterMs: -1 }), true, 'a', 0],
  [arose('CONNECTION_LOST'), true, 'ab', 25],
  [arose('INTEGRITY_FAILED'), true, 'ab', 25],
  [said('DEPENDENCY_UNAVAILABLE'), true, 'ab', 25],
  [said('DEPENDENCY_UNAVAILABLE', { retryAfterMs: 300 }), true, 'ab', 325],
  [said('DEADLINE_EXCEEDED'), true, 'ab', 25],
  [said('CONNECTION_LOST', { retryAfterMs: 0 }), true, 'ab', 0],
  [arose('CONNECTION_LOST'), false, 'a', 0],
  [said('DEPENDENCY_UNAVAILABLE'), false, 'a', 0],
  [said('DEADLINE_EXCEEDED'), false, 'a', 0],
  [said('INTERNAL'), true, 'a', 0],
  [said('NOT_FOUND'), true, 'a', 0],
  [said('USER_GONE', { id: '7' }), true, 'a', 0],
  [said('INVALID_INPUT', { retryAfterMs: 5 }), true, 'a', 0],
]

for (const [error, idempotent, expected, atMs] of table) {
  const { code, remote, details } = error
  const what = `${code} ${remote ? 'said' : 'found'} ${JSON.stringify(details) ?? ''}`
  test(`${what}, idempotent: ${idempotent}: asks ${expected} at ${atMs} ms`, async () => {
    const method = idempotent ? methods.get : methods.add
    const { settle, asked, timesMs } = bench([error, 'done'], { method })
    const outcome = await settle()
    assert.equal(asked().join(''), expected)
    assert.equal(timesMs.at(-1), atMs)
    // Once is no repetition: the error is the caller's as it is.
    assert.equal(outcome, expected === 'a' ? error : 'done')
  })
}

test('three attempts in all, each elsewhere; then the error says so and keeps every cause', async () => {
  const errors = [arose('CONNECTION_LOST'), said('DEADLINE_EXCEEDED'), arose('CONNECTION_LOST')]
  const scripted = bench([...errors, 'too late'])
  const told = await failure(scripted)
  assert.deepEqual(scripted.asked(), ['a', 'b', 'c'])
  assert.deepEqual(scripted.timesMs, [0, 25, 75])
  assert.equal(told.code, 'CONNECTION_LOST')
  assert.equal(told.message, 'found CONNECTION_LOST; gave up after 3 attempts')
  assert.deepEqual(told.details, { attempts: 3, gaveUp: 'attempts' })
  assert.deepEqual((told.cause as AggregateError).errors, errors)
})

test('what the last error had to tell stays with it', async () => {
  const error = said('DEPENDENCY_UNAVAILABLE', { method: 'x.y', code: 'DRAINING' })
  const told = await failure(bench([error, error, error]))
  const kept = { method: 'x.y', code: 'DRAINING' }
  assert.deepEqual(told.details, { ...kept, attempts: 3, gaveUp: 'attempts' })
  const odd = said('DEPENDENCY_UNAVAILABLE', ['a', 'list'])
  assert.deepEqual((await failure(bench([odd, odd, odd]))).details, ['a', 'list'])
})

test('an answer behind failures is the answer, whatever it is', async () => {
  const gone = said('USER_GONE', { id: '7' })
  assert.equal(await failure(bench([arose('CONNECTION_LOST'), gone])), gone)
  const bug = new TypeError('no CoveyError')
  assert.equal(await bench([arose('CONNECTION_LOST'), () => bug]).settle(), bug)
})

test('pauses grow with each attempt, up to the longest', async () => {
  const lost = arose('CONNECTION_LOST')
  const policy = { attempts: 9, maxMs: 200, minPerSecond: 100 }
  const { settle, timesMs } = bench(Array(9).fill(lost), { policy })
  await settle()
  const pausesMs = timesMs.slice(1).map((ms, index) => ms - timesMs[index]!)
  assert.deepEqual(pausesMs, [25, 50, 100, 100, 100, 100, 100, 100])
})

test('pauses are drawn from nothing to their bound', async () => {
  for (const random of [0, 0.999]) {
    const { options, handler, clock, timesMs } = scriptedAttempts([arose('CONNECTION_LOST'), 1])
    const invoke = retry({ ...options, random: () => random })(handler)
    const done = invoke(new Call(methods.get, undefined, { clock }))
    await clock.advance(1_000)
    await done
    assert.deepEqual(timesMs, [0, random * 50])
  }
})

test('where there is no other instance: one that was lost is asked again, one that refused is not', async () => {
  const instances = ['a']
  const lost = bench([arose('CONNECTION_LOST'), 'done'], { instances })
  assert.equal(await lost.settle(), 'done')
  assert.deepEqual(
    [lost.asked(), lost.timesMs],
    [
      ['a', 'a'],
      [0, 25],
    ],
  )
  for (const error of [said('DRAINING'), arose('UNAVAILABLE'), said('UNAVAILABLE')]) {
    assert.equal(await failure(bench([error, 'done'], { instances })), error)
  }
  const local = arose('RESOURCE_EXHAUSTED')
  assert.equal(await failure(bench([local, 'done'], { instances })), local)
  const busy = bench([said('RESOURCE_EXHAUSTED'), 'done'], { instances, method: methods.add })
  assert.equal(await busy.settle(), 'done')
  assert.deepEqual(busy.timesMs, [0, 25])
  const later = said('UNAVAILABLE', { retryAfterMs: 40 })
  const waiting = bench([later, 'done'], { instances })
  assert.equal(await waiting.settle(), 'done')
  assert.deepEqual(waiting.timesMs, [0, 65])
})

test('when to come again is true of the instance that said it: others are asked at once', async () => {
  const instances = ['a', 'b']
  const busy = (retryAfterMs: number) => said('RESOURCE_EXHAUSTED', { retryAfterMs })
  const { settle, asked, timesMs } = bench([busy(60_000), busy(100), 'done'], { instances })
  assert.equal(await settle(), 'done')
  assert.deepEqual(
    [asked(), timesMs],
    [
      ['a', 'b', 'a'],
      [0, 0, 125],
    ],
  )
})

test('a call that nobody was there to take is not sent again', async () => {
  const nobody = (attempt: Call) => {
    attempt.sentTo = undefined
    return arose('UNAVAILABLE')
  }
  const { settle, attempts } = bench([nobody, 'done'])
  assert.equal(((await settle()) as CoveyError).code, 'UNAVAILABLE')
  assert.equal(attempts.length, 1)
})

test('"was not run" is not said of a call of which an attempt may have run', async () => {
  const lost = arose('CONNECTION_LOST')
  const nobody = (attempt: Call) => {
    attempt.sentTo = undefined
    return arose('UNAVAILABLE')
  }
  const late = (attempt: Call) => {
    attempt.sentTo = undefined
    return arose('DEADLINE_EXCEEDED')
  }
  for (const last of [nobody, late, said('DRAINING')]) {
    const script = typeof last === 'function' ? [lost, last] : [lost, last, last]
    const told = await failure(bench(script))
    assert.equal(told.code, 'CONNECTION_LOST')
    assert.equal((told.details as { attempts: number }).attempts, script.length)
    const { errors } = told.cause as AggregateError
    assert.deepEqual([errors.length, errors[0]], [script.length, lost])
  }
})

test('that no more may be repeated is said, with the figures; what cost nobody anything is still repeated', async () => {
  const policy = { budgetPercent: 0, minPerSecond: 0 }
  const lost = arose('CONNECTION_LOST')
  const refused = bench([lost, 'done'], { policy })
  const told = await failure(refused)
  assert.equal(told.code, 'CONNECTION_LOST')
  assert.equal(
    told.message,
    'found CONNECTION_LOST; gave up after 1 attempt, for 0 of 1 calls to t were repeated within 10 s',
  )
  assert.deepEqual(told.details, { attempts: 1, gaveUp: 'budget' })
  assert.equal(told.cause, lost)
  for (const free of [said('DRAINING'), arose('UNAVAILABLE'), arose('RESOURCE_EXHAUSTED')]) {
    assert.equal(await bench([free, free, 'done'], { policy }).settle(), 'done')
  }
  for (const costly of ['UNAVAILABLE', 'RESOURCE_EXHAUSTED']) {
    assert.equal((await failure(bench([said(costly), 'done'], { policy }))).code, costly)
  }
})

test('it waits for nothing that its deadline does not leave time for', async () => {
  const busy = said('RESOURCE_EXHAUSTED', { retryAfterMs: 4_990 })
  const { settle, timesMs } = bench([busy, 'done'], { instances: ['a'] })
  assert.equal(await settle(), busy)
  assert.deepEqual(timesMs, [0])
  const lost = arose('CONNECTION_LOST')
  const init = { deadlineMs: 60 }
  const scripted = bench([lost, lost, 'done'], { init })
  const told = await failure(scripted)
  assert.deepEqual(scripted.timesMs, [0, 25])
  assert.deepEqual(told.details, { attempts: 2, gaveUp: 'time' })
  // Nothing was taken from the budget for what was not sent.
  assert.match(scripted.options.budget.describe('t'), /^1 of 1 /)
})

test('without a deadline it waits for a minute at most', async () => {
  const init = { deadlineMs: Number.POSITIVE_INFINITY }
  for (const [ms, attempts] of [
    [59_000, 2],
    [60_000, 1],
    [1e12, 1],
    [Number.POSITIVE_INFINITY, 1],
  ] as const) {
    const busy = said('RESOURCE_EXHAUSTED', { retryAfterMs: ms })
    const scripted = bench([busy, 'done'], { init, instances: ['a'] })
    await scripted.settle()
    assert.equal(scripted.attempts.length, attempts, `${ms} ms`)
  }
})

test('a call that is cancelled in a pause ends with the reason, and leaves no timer', async () => {
  const { invoke, call, clock, attempts } = bench([arose('CONNECTION_LOST'), 'done'])
  const result = invoke(call)
  const reason = new CoveyError('CANCELLED', 'enough')
  await clock.advance(10)
  const done = assert.rejects(result, reason)
  call.cancel(reason)
  await done
  await clock.advance(1_000)
  assert.deepEqual([attempts.length, clock.waiting], [1, 0])
})

test('a call that was cancelled is not sent again', async () => {
  const reason = new CoveyError('DEADLINE_EXCEEDED', 'over')
  const scripted = bench([
    () => {
      scripted.call.cancel(reason)
      return arose('CONNECTION_LOST')
    },
    'done',
  ])
  assert.equal((await failure(scripted)).code, 'CONNECTION_LOST')
  assert.equal(scripted.attempts.length, 1)
})

test('an attempt is cancelled with its call, and carries what the call carries', async () => {
  const init: CallInit = {
    metadata: toMetadata({ tenant: 'blue' }),
    baggage: toMetadata({ unit: '7' }),
    routing: { group: 'canary' },
    mode: 'submit',
    workMs: 70,
    batch: {},
  }
  const hang = (attempt: Call) => new Promise((_, reject) => attempt.onCancel(reject))
  const { invoke, call, clock, attempts } = bench([arose('CONNECTION_LOST'), hang], {
    init,
    input: { n: 1 },
  })
  const result = invoke(call)
  await clock.advance(100)
  const again = attempts[1]!
  assert.deepEqual(
    [again.input, again.deadlineMs, again.baggage, again.routing, again.mode, again.workMs],
    [call.input, call.deadlineMs, call.baggage, call.routing, 'submit', 70],
  )
  assert.deepEqual([again.batch, again.trace, again.clock], [call.batch, call.trace, clock])
  assert.deepEqual(Object.fromEntries(again.metadata), { tenant: 'blue', 'covey-attempt': '2' })
  const reason = new CoveyError('CANCELLED', 'enough')
  const done = assert.rejects(result, reason)
  call.cancel(reason)
  await done
})

test('an attempt that is over has nothing to do with its call any more', async () => {
  const { settle, call, attempts } = bench([arose('CONNECTION_LOST'), said('DRAINING'), 'done'])
  assert.equal(await settle(), 'done')
  call.cancel(new CoveyError('CANCELLED', 'enough'))
  assert.deepEqual(
    attempts.map(({ cancelled }) => cancelled?.code),
    ['CANCELLED', undefined, undefined],
  )
})

test('attempts say which they are, but for those that follow one that cost nobody anything', async () => {
  const lost = arose('CONNECTION_LOST')
  const policy = { attempts: 5 }
  const { settle, attempts } = bench([lost, said('DRAINING'), lost, arose('UNAVAILABLE'), 'done'], {
    policy,
    instances: ['a', 'b', 'c', 'd', 'e'],
  })
  await settle()
  assert.deepEqual(
    attempts.map(({ attempt }) => attempt),
    [1, 2, 2, 3, 3],
  )
})

test('what is called for a repetition is not repeated, unless it costs nobody anything', async () => {
  const init = { metadata: withAttempt(noMetadata, 2) }
  for (const error of [arose('CONNECTION_LOST'), said('RESOURCE_EXHAUSTED')]) {
    assert.equal(await failure(bench([error, 'done'], { init })), error)
  }
  const { settle, attempts } = bench([said('DRAINING'), 'done'], { init })
  assert.equal(await settle(), 'done')
  assert.deepEqual(
    attempts.map(({ attempt }) => attempt),
    [2, 2],
  )
})

test('what was repeated in vain below is not repeated above', async () => {
  const tired = said('DEPENDENCY_UNAVAILABLE', { attempts: 1, gaveUp: 'budget' })
  const { settle, attempts } = bench([tired, 'done'])
  assert.equal(await settle(), tired)
  assert.equal(attempts.length, 1)
  const told = await failure(bench([arose('CONNECTION_LOST'), tired]))
  assert.deepEqual(told.details, { attempts: 2, gaveUp: 'below' })
})

test('a call is sent as often as it says, else as the policy says, which may change', async () => {
  const lost = arose('CONNECTION_LOST')
  const script = [lost, lost, lost, lost]
  const none = bench(script, { init: { repetition: once } })
  assert.equal(await none.settle(), lost)
  assert.equal(none.attempts.length, 1)
  const repetition = { maxAttempts: 4, hedge: undefined }
  const four = bench(script, { init: { repetition } })
  await four.settle()
  assert.equal(four.attempts.length, 4)
  const changed = bench(script)
  changed.options.policy.change({ attempts: 2 })
  await changed.settle()
  assert.equal(changed.attempts.length, 2)
})

test('a stream of inputs is sent again only before its source was asked', async () => {
  const method = methods.upload
  const read = async ({ input }: Call) => {
    await (input as AsyncIterable<unknown>)[Symbol.asyncIterator]().next()
    return arose('CONNECTION_LOST')
  }
  const untouched = new InputSource([1], 't')
  const fresh = bench([arose('CONNECTION_LOST'), 'done'], { method, input: untouched })
  assert.equal(await fresh.settle(), 'done')
  const asked = bench([read, 'done'], { method, input: new InputSource([1], 't') })
  assert.equal((await failure(asked)).code, 'CONNECTION_LOST')
  assert.equal(asked.attempts.length, 1)
})
