import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { Call } from '../call/call.ts'
import type { Handler } from '../call/handler.ts'
import { defineContract } from '../contract/define-contract.ts'
import { unary } from '../contract/method.ts'
import type { Ticket } from '../contract/ticket.ts'
import { CoveyError } from '../error/covey-error.ts'
import { FakeClock } from '../testing/fake-clock.ts'
import { contractClient } from './contract-client.ts'
import type { CollectedResult, CollectRequest } from './result-contract.ts'
import { newResultToken } from './result-token.ts'
import { results } from './results.ts'

const jobs = defineContract('jobs', {
  run: unary({ input: z.any(), output: z.any(), errors: { GONE: z.any() }, timeoutMs: 60_000 }),
})

/** A client; `answer` carries out its calls, which are noted. */
function bench(answer: Handler, parent?: Call) {
  const clock = new FakeClock()
  const calls: Call[] = []
  const api = contractClient(jobs, {
    clock,
    currentCall: () => parent,
    // As the stack of a client does.
    invoke(call) {
      calls.push(call)
      return new Promise((resolve, reject) => {
        if (call.deadlineMs !== Number.POSITIVE_INFINITY) {
          clock.after(call.remainingMs(), () => call.cancel(late))
        }
        call.onCancel(reject)
        answer(call).then(resolve, reject)
      })
    },
  })
  const ticket = (instance = 'jobs-1') => api.run.ticket(newResultToken(instance))
  return { clock, calls, api, ticket }
}

const late = new CoveyError('DEADLINE_EXCEEDED', 'late')
const lost = new CoveyError('CONNECTION_LOST', 'the wire was cut')
const away = new CoveyError('UNAVAILABLE', 'nobody', {
  details: { service: 'jobs', asked: { instance: 'jobs-1' }, instances: [] },
})

/** Answers one question after the other; the last answer stays. */
function script(...answers: (CollectedResult['state'] | CoveyError)[]): Handler {
  let next = 0
  return async ({ input, clock }) => {
    const answer = answers[Math.min(next, answers.length - 1)]!
    next += 1
    if (answer instanceof CoveyError) throw answer
    const { tokens, waitMs } = input as CollectRequest
    if (answer === 'running') await new Promise<void>((done) => clock.after(waitMs, done))
    if (answer === 'failed') {
      const error = { code: 'GONE', message: 'gone' }
      return tokens.map(() => ({ state: 'failed', error }))
    }
    return tokens.map((token) => ({ state: answer, value: token }))
  }
}

/** How it ends, and when. */
async function outcomeOf(ticket: Ticket<unknown>, clock: FakeClock, options = {}) {
  let end: { value?: unknown; error?: CoveyError; atMs: number } | undefined
  ticket.result(options).then(
    (value) => {
      end = { value, atMs: clock.monotonicMs() }
    },
    (error) => {
      end = { error, atMs: clock.monotonicMs() }
    },
  )
  for (let step = 0; step < 20_000 && end === undefined; step++) await clock.advance(10)
  assert.ok(end, 'it ended')
  return end
}

test('submit waits for no longer than five seconds, and says how long the work may take', async () => {
  const { api, calls, clock } = bench(() => new Promise(() => {}))
  for (const send of [api.run.submit, api.run.notify]) {
    const outcome = assert.rejects(send(1), { code: 'DEADLINE_EXCEEDED', path: 'jobs.run' })
    await clock.advance(5_000)
    await outcome
  }
  const short = assert.rejects(api.run.notify(1, { timeoutMs: 700 }), { code: 'DEADLINE_EXCEEDED' })
  await clock.advance(700)
  await short
  assert.deepEqual(
    calls.map(({ mode, workMs }) => [mode, workMs]),
    [
      ['submit', 60_000],
      ['notify', 60_000],
      ['notify', 700],
    ],
  )
})

test('an outer call bounds the acceptance, not the work', async () => {
  const parent = new Call(jobs.methods.run, 1, { deadlineMs: 300 })
  const { api, calls } = bench(async () => newResultToken('jobs-1'), parent)
  await api.run.submit(1)
  assert.deepEqual([calls[0]!.deadlineMs, calls[0]!.workMs], [300, 60_000])
  assert.equal(calls[0]!.trace.traceId, parent.trace.traceId)
  parent.cancel(new CoveyError('CANCELLED', 'the outer caller left'))
  const hung = bench(() => new Promise(() => {}), parent)
  await assert.rejects(hung.api.run.submit(1), { code: 'CANCELLED' })
})

test('a result is asked for at its own instance, in the trace of who asks', async () => {
  const { ticket, calls, clock } = bench(script('done'))
  const asked = ticket('jobs-7')
  assert.equal((await outcomeOf(asked, clock, { metadata: { Who: 'me' } })).value, asked.token)
  const [call] = calls
  assert.equal(call?.method.path, 'covey.results.collect')
  assert.equal(call?.routing?.instance, 'jobs-7')
  assert.deepEqual([...call!.metadata], [['who', 'me']])
})

test('it asks again while the call runs, and through broken connections', async () => {
  const broken = [
    lost,
    new CoveyError('UNAVAILABLE', 'down'),
    new CoveyError('DRAINING', 'stopping'),
  ]
  const { ticket, calls, clock } = bench(script('running', ...broken, 'running', 'done'))
  const { value } = await outcomeOf(ticket(), clock, { timeoutMs: 120_000 })
  assert.ok(value)
  assert.equal(calls.length, 6)
})

test('a call that runs too long is told as late, and the ticket stays good', async () => {
  const { ticket, clock } = bench(
    script('running', 'running', 'running', 'running', 'running', 'running', 'done'),
  )
  const one = ticket()
  const { error, atMs } = await outcomeOf(one, clock, { timeoutMs: 2_000 })
  assert.equal(error?.code, 'DEADLINE_EXCEEDED')
  assert.match(error!.message, /^no result within 2000 ms: the call is still running; the ticket/)
  assert.ok(atMs > 1_900 && atMs <= 2_010, `at ${atMs}`)
  assert.ok((await outcomeOf(one, clock)).value)
})

test('thirty seconds are the default, and an instance that cannot be asked is told as such', async () => {
  const { ticket, clock, calls } = bench(script(lost))
  const { error, atMs } = await outcomeOf(ticket(), clock)
  assert.equal(error?.code, 'DEADLINE_EXCEEDED')
  assert.match(error!.message, /30000 ms: instance jobs-1 could not be asked: the wire was cut/)
  assert.ok(atMs > 29_900 && atMs <= 30_010, `at ${atMs}`)
  assert.ok(calls.length > 20 && calls.length < 500, `${calls.length} questions`)
})

test('a server that hangs does not hold the caller', async () => {
  const { ticket, clock } = bench(() => new Promise(() => {}))
  const { error, atMs } = await outcomeOf(ticket(), clock, { timeoutMs: 1_000 })
  assert.equal(error?.code, 'DEADLINE_EXCEEDED')
  assert.ok(atMs <= 1_010, `at ${atMs}`)
})

test('no time asks once', async () => {
  const { ticket, clock, calls } = bench(script('running', 'done'))
  const one = ticket()
  assert.equal((await outcomeOf(one, clock, { timeoutMs: 0 })).error?.code, 'DEADLINE_EXCEEDED')
  assert.equal(calls.length, 1)
  assert.equal((await outcomeOf(one, clock, { timeoutMs: 0 })).value, one.token)
  await assert.rejects(one.result({ timeoutMs: Number.NaN }), TypeError)
  const slow = bench(async (call) => {
    await new Promise<void>((done) => call.clock.after(300, done))
    return script('done')(call)
  })
  assert.ok((await outcomeOf(slow.ticket(), slow.clock, { timeoutMs: 0 })).value)
})

test('an instance that nobody knows for a second is gone, and the result with it', async () => {
  const { ticket, clock } = bench(script(lost, away))
  const { error, atMs } = await outcomeOf(ticket(), clock)
  assert.equal(error?.code, 'RESULT_LOST')
  assert.match(error!.message, /^instance jobs-1 is gone, .* the call may have run$/)
  assert.ok(atMs >= 1_000 && atMs < 4_000, `at ${atMs}`)
  const back = bench(script(away, away, lost, away, 'done'))
  assert.ok((await outcomeOf(back.ticket(), back.clock)).value)
})

test('what will not pass is told at once', async () => {
  for (const code of ['UNAUTHENTICATED', 'PERMISSION_DENIED', 'UNIMPLEMENTED', 'INTERNAL']) {
    const { ticket, clock, calls } = bench(script(new CoveyError(code, 'no')))
    assert.equal((await outcomeOf(ticket(), clock)).error?.code, code)
    assert.equal(calls.length, 1)
  }
  const closed = new CoveyError('UNAVAILABLE', 'the client is closed', {
    details: { closed: true },
  })
  const { ticket, clock } = bench(script(closed))
  assert.equal((await outcomeOf(ticket(), clock)).error?.code, 'CANCELLED')
})

test('nonsense from a server is told as such', async () => {
  for (const answer of [
    [],
    'odd',
    undefined,
    [{ state: 'odd' }],
    [{ state: 'done' }, { state: 'done' }],
  ]) {
    const { ticket, clock } = bench(async () => answer)
    assert.equal((await outcomeOf(ticket(), clock)).error?.code, 'PROTOCOL_ERROR')
  }
})

test('a server that does not wait is not asked in a circle', async () => {
  const answer = async ({ input }: Call) =>
    (input as CollectRequest).tokens.map(() => ({ state: 'running' }))
  const { ticket, clock, calls } = bench(answer)
  await outcomeOf(ticket(), clock, { timeoutMs: 10_000 })
  assert.ok(calls.length < 200, `${calls.length} questions`)
})

test('the signal of the caller ends the waiting, also between two questions', async () => {
  for (const handler of [script('running'), script(lost)]) {
    const { ticket, clock } = bench(handler)
    const abort = new AbortController()
    clock.after(500, () => abort.abort())
    const { error, atMs } = await outcomeOf(ticket(), clock, { signal: abort.signal })
    assert.equal(error?.code, 'CANCELLED')
    assert.ok(atMs <= 520, `at ${atMs}`)
  }
})

test('the reason of an outer call ends the waiting, whatever it is', async () => {
  const parent = new Call(jobs.methods.run, 1)
  const { ticket, clock, calls } = bench(script('running'), parent)
  clock.after(300, () => parent.cancel(lost))
  const { error, atMs } = await outcomeOf(ticket(), clock)
  assert.deepEqual([error?.code, calls.length], ['CONNECTION_LOST', 1])
  assert.ok(atMs <= 310, `at ${atMs}`)
})

test('an outer call ends the waiting', async () => {
  const parent = new Call(jobs.methods.run, 1, { deadlineMs: 400 })
  const { ticket, clock } = bench(script(lost), parent)
  const { error, atMs } = await outcomeOf(ticket(), clock)
  assert.equal(error?.code, 'DEADLINE_EXCEEDED')
  assert.ok(atMs <= 410, `at ${atMs}`)
  const left = new Call(jobs.methods.run, 1)
  const other = bench(script('running'), left)
  other.clock.after(300, () => left.cancel(new CoveyError('CANCELLED', 'left')))
  assert.equal((await outcomeOf(other.ticket(), other.clock)).error?.code, 'CANCELLED')
})

test('the error of a failed call is that of its method', async () => {
  const { ticket, clock, api } = bench(script('failed'))
  const { error } = await outcomeOf(ticket(), clock)
  assert.ok(api.run.isError(error, 'GONE'))
  assert.equal(error.path, 'jobs.run')
})

test('each instance is asked once for all of its tokens, all at the same time', async () => {
  const { ticket, calls } = bench(async ({ input, routing }) => {
    const { tokens } = input as CollectRequest
    if (routing?.instance === 'b') throw new CoveyError('UNAUTHENTICATED', 'who are you?')
    return tokens.map((token) => ({ state: 'done', value: token }))
  })
  const tickets = ['a', 'b', 'c', 'a', 'b', 'a'].map((instance) => ticket(instance))
  const settled = await results([...tickets, tickets[0]!])
  assert.deepEqual(
    calls.map(({ input, routing }) => [routing?.instance, (input as CollectRequest).tokens.length]),
    [
      ['a', 3],
      ['b', 2],
      ['c', 1],
    ],
  )
  for (const [index, outcome] of settled.entries()) {
    const { token, instance } = [...tickets, tickets[0]!][index] as Ticket<unknown> & {
      instance: string
    }
    if (outcome.ok) assert.equal(outcome.value, token)
    else assert.deepEqual([instance, outcome.error.code], ['b', 'UNAUTHENTICATED'])
  }
  assert.equal(settled.filter(({ ok }) => ok).length, 5)
  assert.deepEqual(await results([]), [])
})

test('a question has no more tokens than a server takes', async () => {
  const { ticket, calls } = bench(script('done'))
  const tickets = Array.from({ length: 2_500 }, () => ticket())
  const settled = await results(tickets)
  assert.deepEqual(
    calls.map(({ input }) => (input as CollectRequest).tokens.length),
    [1_000, 1_000, 500],
  )
  assert.ok(
    settled.every((outcome, index) => outcome.ok && outcome.value === tickets[index]!.token),
  )
})

test('only tickets have results', async () => {
  const forged = { token: newResultToken('a'), result: async () => 1 }
  await assert.rejects(results([forged]), TypeError)
  const { ticket } = bench(script('done'))
  const one = ticket()
  assert.equal(JSON.stringify({ one }), JSON.stringify({ one: one.token }))
})
