import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { test } from 'node:test'
import { z } from 'zod'
import { Call, type CallInit } from '../call/call.ts'
import type { Handler } from '../call/handler.ts'
import { nextSpan } from '../call/trace.ts'
import { defineContract } from '../contract/define-contract.ts'
import { clientStream, duplex, serverStream, unary } from '../contract/method.ts'
import { CoveyError } from '../error/covey-error.ts'
import { FakeClock } from '../testing/fake-clock.ts'
import { contractClient } from './contract-client.ts'

const users = defineContract('users', {
  get: unary({ input: z.any(), output: z.any(), errors: { GONE: z.object({ id: z.string() }) } }),
  put: unary({ timeoutMs: 700 }),
  items: serverStream({ output: z.any() }),
  upload: clientStream({ input: z.any(), output: z.any() }),
  talk: duplex({ input: z.any(), output: z.any() }),
})

interface BenchOptions {
  parent?: Call
  timeoutMs?: number
}

/** A client whose calls `invoke` carries out; `calls` are those it was given. */
function bench(invoke: Handler = async () => undefined, options: BenchOptions = {}) {
  const clock = new FakeClock()
  const calls: Call[] = []
  const api = contractClient(users, {
    clock,
    timeoutMs: options.timeoutMs,
    currentCall: () => options.parent,
    invoke(call) {
      calls.push(call)
      return invoke(call)
    },
  })
  return { clock, calls, api }
}

/** Hangs until the call is cancelled, as a transport does. */
const hang: Handler = (call) => new Promise((_, reject) => call.onCancel(reject))

function parentCall(init: CallInit = {}): Call {
  return new Call(users.methods.put, undefined, init)
}

function numbers(upTo: number): Handler {
  return async () =>
    (async function* () {
      for (let n = 1; n <= upTo; n++) yield n
    })()
}

const enough = new CoveyError('CANCELLED', 'enough')

test('each method is a function that asks and answers', async () => {
  const { api, calls } = bench(async ({ input }) => ({ got: input }))
  assert.deepEqual(Object.keys(api), ['get', 'put', 'items', 'upload', 'talk'])
  assert.deepEqual(await api.get({ id: '7' }), { got: { id: '7' } })
  assert.equal(calls[0]?.method, users.methods.get)
  assert.throws(() => Object.assign(api, { get: 1 }), TypeError)
})

test('wishes travel with the call', async () => {
  const { api, calls } = bench()
  await api.get(1, { metadata: { Tenant: 'blue' }, instance: 'i7' })
  assert.deepEqual([...calls[0]!.metadata], [['tenant', 'blue']])
  assert.equal(calls[0]!.routing?.instance, 'i7')
  await assert.rejects(api.get(1, { metadata: { 'not a name': 'x' } }), TypeError)
  assert.equal(calls.length, 1)
})

test('the nearest of all times counts: of the call, of the client, of the contract', async () => {
  const { api, calls, clock } = bench()
  await clock.advance(1_000)
  await api.get(1)
  await api.put()
  await api.put(undefined, { timeoutMs: 900 })
  const limited = bench(undefined, { timeoutMs: 300 })
  await limited.api.put()
  await limited.api.put(undefined, { timeoutMs: 400 })
  assert.deepEqual(
    [...calls, ...limited.calls].map(({ deadlineMs }) => deadlineMs),
    [6_000, 1_700, 1_900, 300, 400],
  )
})

test('a call inherits the deadline of the one around it, and can only shorten it', async () => {
  const { api, calls } = bench(undefined, { parent: parentCall({ deadlineMs: 500 }) })
  await api.put()
  await api.put(undefined, { timeoutMs: 60_000 })
  await api.put(undefined, { timeoutMs: 200 })
  assert.deepEqual(
    calls.map(({ deadlineMs }) => deadlineMs),
    [500, 500, 200],
  )
})

test('a call is the next span of the trace around it, or a trace of its own', async () => {
  const parent = parentCall({ trace: nextSpan() })
  const inside = bench(undefined, { parent })
  await inside.api.put()
  await inside.api.put()
  const [first, second] = inside.calls
  assert.equal(first!.trace.traceId, parent.trace.traceId)
  const spans = [parent, first!, second!].map(({ trace }) => trace.spanId)
  assert.equal(new Set(spans).size, 3)
  const alone = bench()
  await alone.api.put()
  assert.notEqual(alone.calls[0]!.trace.traceId, parent.trace.traceId)
})

test('the end of the call around it ends a call', async () => {
  const parent = parentCall()
  const { api } = bench(hang, { parent })
  const asked = api.put()
  parent.cancel(enough)
  await assert.rejects(asked, { code: 'CANCELLED', message: 'enough' })
  await assert.rejects(api.put(), { code: 'CANCELLED' })
})

test('what a parent hears of its children is taken back when they are done', async () => {
  const parent = parentCall()
  let listening = 0
  const { onCancel, offCancel } = parent
  parent.onCancel = (listener) => {
    listening += 1
    onCancel.call(parent, listener)
  }
  parent.offCancel = (listener) => {
    listening -= 1
    offCancel.call(parent, listener)
  }
  const failing = bench(() => Promise.reject(enough), { parent })
  await assert.rejects(failing.api.put())
  const { api } = bench(numbers(3), { parent })
  for await (const _ of api.items()) assert.equal(listening, 1)
  for await (const _ of api.items()) break
  assert.equal(listening, 0)
})

test('a signal cancels the call, with its reason as the cause', async () => {
  const abort = new AbortController()
  const { api } = bench(hang)
  const asked = api.put(undefined, { signal: abort.signal })
  const why = new Error('the page was left')
  abort.abort(why)
  await assert.rejects(asked, { code: 'CANCELLED', message: 'cancelled by the caller', cause: why })
})

test('a signal that has aborted before cancels at once, a CoveyError as it is', async () => {
  const { api, calls } = bench(hang)
  const late = new CoveyError('DEADLINE_EXCEEDED', 'too late')
  await assert.rejects(api.put(undefined, { signal: AbortSignal.abort(late) }), {
    code: 'DEADLINE_EXCEEDED',
  })
  assert.equal(calls[0]!.cancelled, late)
})

test('a signal is let go when the call is done, whatever came of it', async () => {
  const { signal } = new AbortController()
  const listeners = () => getEventListeners(signal, 'abort').length
  const good = bench(async () => {
    assert.equal(listeners(), 1)
  })
  for (let count = 0; count < 20; count++) await good.api.put(undefined, { signal })
  assert.equal(listeners(), 0)
  await assert.rejects(bench(() => Promise.reject(enough)).api.put(undefined, { signal }))
  assert.equal(listeners(), 0)
  const { api } = bench(numbers(3))
  for await (const _ of api.items(undefined, { signal })) assert.equal(listeners(), 1)
  for await (const _ of api.items(undefined, { signal })) break
  assert.equal(listeners(), 0)
})

test('a stream is opened when it is read, anew each time, and cancelled when it is left', async () => {
  const { api, calls } = bench(numbers(3))
  const stream = api.items()
  assert.equal(calls.length, 0)
  assert.deepEqual(await Array.fromAsync(stream), [1, 2, 3])
  for await (const _ of stream) break
  assert.equal(calls.length, 2)
  assert.equal(calls[1]!.cancelled?.message, 'the reader left the stream')
})

test('isError knows the errors of its method alone', async () => {
  const { api } = bench(() => Promise.reject(new CoveyError('GONE', 'x', { details: { id: '7' } })))
  const error = await api.get(1).catch((thrown: unknown) => thrown)
  assert.ok(api.get.isError(error, 'GONE'))
  assert.equal(error.details.id, '7')
  assert.equal(api.get.isError(new CoveyError('NOT_FOUND', 'x'), 'GONE'), false)
  assert.equal(api.get.isError(Object.assign(new Error(), { code: 'GONE' }), 'GONE'), false)
  const undeclared = api.put.isError as (thrown: unknown, code: string) => boolean
  assert.equal(undeclared(error, 'GONE'), false)
  assert.equal(undeclared(new CoveyError('toString', 'x'), 'toString'), false)
})

test('the stack of an error names the line of the caller', async () => {
  // As a connection does that reads the error: nothing of the caller is on its stack.
  const { api } = bench(
    () =>
      new Promise((_, reject) => {
        setImmediate(() => reject(new CoveyError('GONE', 'no more')))
      }),
  )
  async function theCaller() {
    await api.get(1)
  }
  async function theReader() {
    for await (const _ of api.items()) assert.fail('an element')
  }
  for (const run of [theCaller, theReader]) {
    const error = (await run().catch((thrown: unknown) => thrown)) as CoveyError
    assert.match(
      error.stack ?? '',
      new RegExp(`CoveyError: no more\\n(.*\\n)*.*${run.name} \\(.*contract-client\\.test\\.ts`),
    )
  }
})

test('an error says which call brought it', async () => {
  const { api } = bench(() => Promise.reject(new CoveyError('GONE', 'no more')))
  await assert.rejects(api.get(1), { path: 'users.get' })
  await assert.rejects(Array.fromAsync(api.items()), { path: 'users.items' })
  await assert.rejects(bench(() => Promise.reject(new Error('a bug'))).api.put(), {
    code: 'INTERNAL',
    path: 'users.put',
  })
})

test('calls that fail for one common reason get an error each, with their own path', async () => {
  const lost = new CoveyError('CONNECTION_LOST', 'reset', { details: { n: 1 } })
  const { api } = bench(() => Promise.reject(lost))
  const errors = (await Promise.all(
    [api.get(1), api.put(), api.put()].map((asked) => asked.catch((error: unknown) => error)),
  )) as CoveyError[]
  assert.deepEqual(
    errors.map(({ path }) => path),
    ['users.get', 'users.put', 'users.put'],
  )
  assert.equal(new Set(errors).size, 3)
  for (const error of errors) assert.deepEqual(error.toData(), lost.toData())
  assert.equal(errors[1]!.cause, lost)
})

const inputsOf = ({ input }: Call) => input as AsyncIterable<unknown>

test('a stream of inputs goes into the call as one, whatever it was', async () => {
  const gather: Handler = async (call) => Array.fromAsync(inputsOf(call))
  const { api, calls } = bench(gather)
  assert.deepEqual(await api.upload(new Set([1, 2])), [1, 2])
  assert.equal(calls[0]?.method.path, 'users.upload')
  await assert.rejects(api.upload('text'), { name: 'TypeError', message: /^users\.upload takes/ })
  const both = bench(async (call) => inputsOf(call))
  assert.deepEqual(await Array.fromAsync(both.api.talk([3, 4])), [3, 4])
  await assert.rejects(Array.fromAsync(both.api.talk(7 as never)), TypeError)
  assert.equal(both.calls.length, 1)
})

test('what the source threw is thrown as it is; what the call comes to is not taken for it', async () => {
  const cause = new Error('broken')
  const failing = () =>
    (async function* () {
      yield 1
      throw cause
    })()
  const wrapping: Handler = async (call) => {
    try {
      await Array.fromAsync(inputsOf(call))
    } catch (error) {
      throw new CoveyError('CANCELLED', 'the source of the inputs failed', { cause: error })
    }
  }
  await assert.rejects(bench(wrapping).api.upload(failing()), (error) => error === cause)
  const reading = Array.fromAsync(bench(wrapping).api.talk(failing()))
  await assert.rejects(reading, (error) => error === cause)
  const other: Handler = async (call) => {
    await Array.fromAsync(inputsOf(call)).catch(() => {})
    throw new CoveyError('NOT_FOUND', 'gone')
  }
  await assert.rejects(bench(other).api.upload(failing()), { code: 'NOT_FOUND' })
})

test('baggage goes on with the calls inside, and what is added wins', async () => {
  const { api, calls } = bench(undefined, {
    parent: parentCall({
      baggage: new Map([
        ['tenant', 'acme'],
        ['plan', 'free'],
      ]),
    }),
  })
  await api.get(1)
  await api.get(1, { baggage: { Plan: 'paid', unit: '7' } })
  const entries = calls.map(({ baggage }) => Object.fromEntries(baggage))
  assert.deepEqual(entries, [
    { tenant: 'acme', plan: 'free' },
    { tenant: 'acme', plan: 'paid', unit: '7' },
  ])
  const alone = bench()
  await alone.api.get(1, { baggage: { a: 'b' } })
  await alone.api.get(1)
  assert.deepEqual(
    alone.calls.map(({ baggage }) => [...baggage]),
    [[['a', 'b']], []],
  )
  await assert.rejects(alone.api.get(1, { baggage: { 'no name': 'x' } }), TypeError)
})
