import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ByteWriter } from '../base/byte-writer.ts'
import { Call } from '../call/call.ts'
import type { Middleware } from '../call/handler.ts'
import { toMetadata } from '../call/metadata.ts'
import { msgpackCodec } from '../codec/msgpack-codec.ts'
import { defineContract } from '../contract/define-contract.ts'
import { unary } from '../contract/method.ts'
import { CoveyError } from '../error/covey-error.ts'
import { acceptedBench, jobs } from '../testing/accepted-bench.ts'
import type { CollectedResult } from './result-contract.ts'
import { resultContract } from './result-contract.ts'
import { newResultToken } from './result-token.ts'

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

const enough = new CoveyError('CANCELLED', 'enough')
const refused = new CoveyError('PERMISSION_DENIED', 'not you')

test('accepting ends when the handler begins, and what travels with the call is there', async () => {
  const gate = Promise.withResolvers<string>()
  let inside: Call | undefined
  const { newCall, accept, collect, work } = acceptedBench((_, call) => {
    inside = call
    return gate.promise
  })
  const init = { metadata: toMetadata({ tag: 'blue' }), baggage: toMetadata({ tenant: 'a' }) }
  const call = newCall('submit', 1, init)
  const token = await accept(call)
  assert.equal(work.running, 1)
  assert.notEqual(inside, call)
  assert.deepEqual(
    [...inside!.metadata, ...inside!.baggage],
    [
      ['tag', 'blue'],
      ['tenant', 'a'],
    ],
  )
  assert.deepEqual([inside!.mode, inside!.trace], ['submit', call.trace])
  assert.deepEqual(await collect([token]), [{ state: 'running' }])
  gate.resolve('ready')
  await turn()
  assert.deepEqual(await collect([token]), [{ state: 'done', value: 'ready' }])
  assert.equal(work.running, 0)
})

test('cancelling takes back what has not begun, and does nothing to what has', async () => {
  const door = Promise.withResolvers<void>()
  const middleware: Middleware = (next) => (call) =>
    call.input === 'held' ? door.promise.then(() => next(call)) : next(call)
  const { newCall, accept, seen, work } = acceptedBench(
    (_, call) => new Promise((_, reject) => call.onCancel(reject)),
    {
      middleware: [middleware],
    },
  )
  const held = newCall('submit', 'held')
  const waiting = accept(held)
  await turn()
  held.cancel(enough)
  await assert.rejects(waiting, enough)
  assert.equal(work.running, 0)
  door.resolve()
  await turn()
  assert.equal(seen.begun, 0)

  const running = newCall('submit')
  await accept(running)
  running.cancel(enough)
  await turn()
  assert.deepEqual([seen.begun, work.running], [1, 1])
  const gone = newCall('submit')
  gone.cancel(enough)
  await assert.rejects(accept(gone), enough)
  assert.equal(seen.begun, 1)
  await work.close()
})

test('a caller that goes in the moment its call begins is too late', async () => {
  let inside: Call | undefined
  const call = new Call(jobs.methods.run, 1, { mode: 'submit' })
  const { accept, collect, work } = acceptedBench((_, own) => {
    call.cancel(enough)
    inside = own
    return 'done'
  })
  const token = await accept(call)
  await turn()
  assert.equal(inside?.cancelled, undefined)
  assert.deepEqual(await collect([token]), [{ state: 'done', value: 'done' }])
  assert.equal(work.running, 0)
})

test('what is too deep for the answer is told when it is kept', async () => {
  const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)])
  const { accept, collect, newCall } = acceptedBench((input) => nested(Number(input)))
  const token = async (depth: number) => accept(newCall('submit', depth))
  const tokens = [await token(62), await token(63)]
  await turn()
  const [fits, deep] = await collect(tokens)
  assert.equal(fits?.state, 'done')
  assert.equal(deep?.state === 'failed' && deep.error.code, 'UNENCODABLE')
  const out = new ByteWriter()
  msgpackCodec.encode([fits], out)
  assert.throws(() => msgpackCodec.encode([{ state: 'done', value: nested(63) }], out))
})

test('what middleware refuses is told to the caller, and the handler does not begin even if it is reached', async () => {
  const late: Middleware = (next) => (call) => {
    void turn()
      .then(() => next(call))
      .catch(() => {})
    return Promise.reject(refused)
  }
  const { newCall, accept, seen, work } = acceptedBench(() => 1, { middleware: [late] })
  await assert.rejects(accept(newCall('submit')), refused)
  await assert.rejects(accept(newCall('notify')), refused)
  await turn()
  await turn()
  assert.deepEqual([seen.begun, work.running], [0, 0])
})

test('middleware may answer in the place of the handler', async () => {
  const cache: Middleware = (next) => (call) =>
    call.method.name === 'run' ? Promise.resolve('cached') : next(call)
  const { newCall, accept, seen, collect } = acceptedBench(() => 1, { middleware: [cache] })
  const token = await accept(newCall('submit'))
  assert.equal(await accept(newCall('notify')), undefined)
  assert.deepEqual(await collect([token]), [{ state: 'done', value: 'cached' }])
  assert.equal(seen.begun, 0)
})

test('errors that say "not run" never come from a handler that has begun', async () => {
  for (const code of ['RESOURCE_EXHAUSTED', 'DRAINING', 'UNAVAILABLE'] as const) {
    const { newCall, accept, collect } = acceptedBench(() => {
      throw new CoveyError(code, 'said by the handler')
    })
    const token = await accept(newCall('submit'))
    await accept(newCall('notify'))
    const [result] = await collect([token])
    assert.deepEqual(result, { state: 'failed', error: { code, message: 'said by the handler' } })
  }
})

test('there is room for so many, and a failure makes room again', async () => {
  const gate = Promise.withResolvers<void>()
  const { newCall, accept, seen, work } = acceptedBench(() => gate.promise, { maxRunning: 2 })
  await accept(newCall('submit'))
  await accept(newCall('notify'))
  for (const mode of ['notify', 'submit'] as const) {
    await assert.rejects(accept(newCall(mode)), {
      code: 'RESOURCE_EXHAUSTED',
      message: '2 accepted calls run here already; the call was not run',
      details: { limit: 'accepted', maxRunning: 2 },
    })
  }
  assert.equal(seen.begun, 2)
  gate.reject(new Error('broken'))
  await turn()
  assert.equal(work.running, 0)
  await accept(newCall('notify'))
})

test('the time of a call is that of its work', async () => {
  const { newCall, accept, collect, clock, work } = acceptedBench(() => new Promise(() => {}))
  const token = await accept(newCall('submit', 1, { deadlineMs: 1_000 }))
  await clock.advance(900)
  assert.deepEqual(await collect([token]), [{ state: 'running' }])
  await clock.advance(200)
  const [result] = await collect([token])
  assert.equal(result?.state === 'failed' && result.error.code, 'DEADLINE_EXCEEDED')
  assert.equal(work.running, 0)
})

test('a notify that fails is written to the log, with its method and its trace', async () => {
  const { newCall, accept, log } = acceptedBench(() => {
    throw new CoveyError('NOT_FOUND', 'no such room', { details: { id: 7 } })
  })
  const call = newCall('notify')
  await accept(call)
  await turn()
  const [line] = log.lines
  assert.equal(line?.message, 'jobs.run, which nobody waits for, failed: no such room')
  const { traceId } = call.trace
  assert.deepEqual(line?.fields, {
    code: 'NOT_FOUND',
    details: { id: 7 },
    method: 'jobs.run',
    traceId,
  })
  await accept(newCall('submit'))
  await turn()
  assert.equal(log.lines.length, 1)
})

test('what cannot be kept is told in its place', async () => {
  const { accept, newCall, collect } = acceptedBench(
    (input) => {
      if (typeof input !== 'number') return input ?? (() => 1)
      const message = `${'x'.repeat(299)}😀${'x'.repeat(input)}`
      throw new CoveyError('GONE', message, { details: 'x'.repeat(input) })
    },
    { maxBytesEach: 1 },
  )
  const tokens = [
    await accept(newCall('submit')),
    await accept(newCall('submit', 'x'.repeat(2_000))),
    await accept(newCall('submit', 2_000)),
  ]
  await turn()
  const [odd, large, wordy] = await collect(tokens)
  assert.equal(odd?.state === 'failed' && odd.error.code, 'UNENCODABLE')
  assert.ok(large?.state === 'failed' && large.error.code === 'RESULT_LOST')
  assert.match(large.error.message, /^the call ran, but its result of \d+ bytes is over the 1024/)
  const cut = { code: 'GONE', message: 'x'.repeat(299) }
  assert.deepEqual(wordy, { state: 'failed', error: cut })
})

test('collecting waits until all are there, or as long as it is told', async () => {
  const gates = new Map<unknown, PromiseWithResolvers<unknown>>()
  const { newCall, accept, collect, clock } = acceptedBench((input) => {
    gates.set(input, Promise.withResolvers())
    return gates.get(input)!.promise
  })
  const tokens = [await accept(newCall('submit', 1)), await accept(newCall('submit', 2))]
  let answer: CollectedResult[] | undefined
  const asked = collect(tokens, 1_000).then((results) => {
    answer = results
  })
  gates.get(1)!.resolve('one')
  await clock.advance(500)
  assert.equal(answer, undefined)
  await clock.advance(500)
  await asked
  assert.deepEqual(answer, [{ state: 'done', value: 'one' }, { state: 'running' }])
  const again = collect([...tokens, tokens[1]], 1_000)
  gates.get(2)!.resolve('two')
  const two = { state: 'done', value: 'two' }
  assert.deepEqual(await again, [{ state: 'done', value: 'one' }, two, two])
})

test('who asks for a result and goes leaves nothing behind', async () => {
  const { newCall, accept, dispatcher, clock } = acceptedBench(() => new Promise(() => {}))
  const token = await accept(newCall('submit'))
  const input = { tokens: [token], waitMs: 1_000 }
  const question = new Call(resultContract.methods.collect, input, { clock })
  const asked = dispatcher.serve(question)
  await turn()
  assert.equal(clock.waiting, 1)
  question.cancel(enough)
  await asked.catch(() => {})
  assert.equal(clock.waiting, 0)
})

test('no more is waited for than fits, and who asks beyond that is answered at once', async () => {
  const { newCall, accept, work, clock } = acceptedBench(() => new Promise(() => {}))
  const tokens: string[] = []
  for (let count = 0; count < 10; count++) tokens.push((await accept(newCall('submit')))!)
  let answered = 0
  const ask = () =>
    void work.whenDone(tokens, 1_000, newCall('wait')).then(() => {
      answered += 1
    })
  for (let count = 0; count < 10_000; count++) ask()
  await turn()
  assert.equal(answered, 0)
  ask()
  await turn()
  assert.equal(answered, 1)
  await clock.advance(1_000)
  assert.equal(answered, 10_001)
  ask()
  await turn()
  assert.equal(answered, 10_001)
  await work.close()
})

test('a full answer says of the rest to ask again', async () => {
  const { newCall, accept, collect, store } = acceptedBench((input) => 'x'.repeat(Number(input)))
  const sizes = [300_000, 300_000, 100, 2_000_000]
  const tokens = []
  for (const size of sizes) tokens.push(await accept(newCall('submit', size)))
  await turn()
  const states = async (asked: unknown[]) => (await collect(asked)).map(({ state }) => state)
  assert.deepEqual(await states(tokens), ['done', 'running', 'done', 'running'])
  assert.deepEqual(await states([tokens[3]]), ['done'])
  assert.equal(store.size, 4)
})

test('tokens of others, expired ones and nonsense are told apart', async () => {
  const { collect, accept, newCall, clock } = acceptedBench(() => 1)
  const token = await accept(newCall('submit'))
  await clock.advance(600_000)
  const answer = await collect([
    token,
    newResultToken('jobs-1'),
    'nonsense',
    newResultToken('jobs-0'),
  ])
  assert.deepEqual(
    answer.map(({ state }) => state),
    ['unknown', 'unknown', 'unknown', 'failed'],
  )
  assert.ok(answer[3]?.state === 'failed')
  assert.equal(answer[3].error.code, 'RESULT_LOST')
  assert.match(answer[3].error.message, /waits at instance jobs-0; this is jobs-1/)
})

test('questions have limits', async () => {
  const { dispatcher, clock, collect } = acceptedBench(() => 1)
  const ask = (input: unknown) =>
    dispatcher.serve(new Call(resultContract.methods.collect, input, { clock }))
  const tokens = Array.from({ length: 1_001 }, () => 'a')
  for (const input of [
    undefined,
    {},
    { tokens: 'a', waitMs: 0 },
    { tokens: [7], waitMs: 0 },
    { tokens, waitMs: 0 },
    { tokens: [], waitMs: -1 },
    { tokens: [], waitMs: Number.NaN },
    { tokens: [], waitMs: '1' },
  ]) {
    await assert.rejects(ask(input), { code: 'INVALID_INPUT' })
  }
  assert.deepEqual(await collect([], 1_000_000), [])
})

test('a store that fails is told in the log, and the work ends', async () => {
  const { work, accept, newCall, log, store, collect } = acceptedBench(() => 1)
  store.save = () => Promise.reject(new Error('disk full'))
  const token = await accept(newCall('submit'))
  await turn()
  assert.deepEqual(
    [work.running, log.messages('error')],
    [0, ['jobs.run: its result could not be kept']],
  )
  assert.deepEqual(await collect([token]), [{ state: 'unknown' }])
})

test('output is checked as that of any call', async () => {
  const { dispatcher, clock, collect } = acceptedBench(() => 1)
  const call = new Call(jobs.methods.strict, undefined, { clock, mode: 'submit' })
  const token = await dispatcher.accept!(call)
  await turn()
  const [result] = await collect([token])
  assert.equal(result?.state === 'failed' && result.error.code, 'INVALID_OUTPUT')
})

test('a method that nobody serves is told as such', async () => {
  const { dispatcher, work } = acceptedBench(() => 1)
  const { methods } = defineContract('other', { ask: unary() })
  const unknown = new Call(methods.ask, undefined, { mode: 'notify' })
  await assert.rejects(dispatcher.accept!(unknown), { code: 'UNIMPLEMENTED' })
  assert.equal(work.running, 0)
})
