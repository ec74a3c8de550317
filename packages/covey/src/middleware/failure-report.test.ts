import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Call } from '../call/call.ts'
import type { Handler } from '../call/handler.ts'
import { defineContract } from '../contract/define-contract.ts'
import { type BoundMethod, clientStream, duplex, serverStream, unary } from '../contract/method.ts'
import { CoveyError } from '../error/covey-error.ts'
import { RecordingLog } from '../testing/recording-log.ts'
import { failureReport } from './failure-report.ts'

const { methods } = defineContract('users', {
  get: unary(),
  items: serverStream(),
  upload: clientStream(),
  talk: duplex(),
})

function bench(handler: Handler, method: BoundMethod = methods.get) {
  const log = new RecordingLog()
  const call = new Call(method, undefined)
  return { log, call, run: () => failureReport(log)(handler)(call) }
}

function failing(thrown: unknown): Handler {
  return async () => {
    throw thrown
  }
}

async function failure(promise: Promise<unknown>): Promise<CoveyError> {
  const error = await promise.then(
    () => assert.fail('it did not fail'),
    (thrown: unknown) => thrown,
  )
  assert.ok(error instanceof CoveyError)
  return error
}

test('what nobody declared is logged under an id, and only the id leaves', async () => {
  for (const thrown of [new Error('password 123'), 'password 123', undefined, { a: 1 }]) {
    const { log, call, run } = bench(failing(thrown))
    const error = await failure(run())
    const { errorId } = error.details as { errorId: string }
    assert.match(errorId, /^[0-9a-f-]{36}$/)
    assert.deepEqual(error.toData(), {
      code: 'INTERNAL',
      message: `users.get failed; error id ${errorId}`,
      details: { errorId },
    })
    const fields = { err: thrown, errorId, method: 'users.get', traceId: call.trace.traceId }
    assert.deepEqual(log.lines, [{ level: 'error', fields, message: 'users.get failed' }])
  }
})

test('one result passes as it is, and a stream of them is reported where it fails', async () => {
  const result = { one: 'result' }
  for (const method of [methods.get, methods.upload]) {
    assert.equal(await bench(async () => result, method).run(), result)
    assert.equal((await failure(bench(failing(new Error('x')), method).run())).code, 'INTERNAL')
  }
  for (const method of [methods.items, methods.talk]) {
    const { log, run } = bench(
      async () =>
        (async function* () {
          yield 1
          throw new Error('password 123')
        })(),
      method,
    )
    const stream = ((await run()) as AsyncIterable<unknown>)[Symbol.asyncIterator]()
    assert.deepEqual(await stream.next(), { done: false, value: 1 })
    assert.equal((await failure(stream.next())).code, 'INTERNAL')
    assert.equal(log.lines.length, 1)
  }
})

test('a handler that throws before it promises anything is reported as well', async () => {
  const { log, run } = bench(() => {
    throw new Error('at once')
  })
  assert.equal((await failure(run())).code, 'INTERNAL')
  assert.equal(log.lines.length, 1)
})

test('errors that callers may see pass as they are, unlogged', async () => {
  for (const code of ['USER_GONE', 'NOT_FOUND', 'UNAVAILABLE', 'RESOURCE_EXHAUSTED']) {
    const thrown = new CoveyError(code, 'so it is')
    const { log, run } = bench(failing(thrown))
    assert.equal(await failure(run()), thrown)
    assert.deepEqual(log.lines, [])
  }
})

test('output that does not fit is the fault of this server and logged; that of another is not', async () => {
  const own = new CoveyError('INVALID_OUTPUT', 'users.get output: id: expected string')
  const here = bench(failing(own))
  assert.equal(await failure(here.run()), own)
  assert.deepEqual(here.log.messages('error'), [own.message])
  const foreign = new CoveyError('INVALID_OUTPUT', 'rooms.get output: id: expected string')
  foreign.path = 'rooms.get'
  const there = bench(failing(foreign))
  await failure(there.run())
  assert.deepEqual(there.log.lines, [])
})

test('"was not run" of a call that the handler made is not true of the handler', async () => {
  for (const code of ['UNAVAILABLE', 'DRAINING', 'RESOURCE_EXHAUSTED'] as const) {
    const inner = new CoveyError(code, 'nobody there', { details: { tried: 2 } })
    inner.path = 'rooms.get'
    const error = await failure(bench(failing(inner)).run())
    assert.deepEqual(error.toData(), {
      code: 'DEPENDENCY_UNAVAILABLE',
      message: 'nobody there',
      details: { method: 'rooms.get', code, details: { tried: 2 } },
    })
    assert.equal(error.cause, inner)
    assert.equal(error.retryable(false), false)
    assert.equal(error.retryable(true), true)
  }
})

test('what such an error says about being repeated stays in sight', async () => {
  const details = { attempts: 3, gaveUp: 'attempts', retryAfterMs: 50 }
  const inner = new CoveyError('RESOURCE_EXHAUSTED', 'busy', { details })
  inner.path = 'rooms.get'
  const error = await failure(bench(failing(inner)).run())
  assert.deepEqual(error.details, {
    method: 'rooms.get',
    code: 'RESOURCE_EXHAUSTED',
    details,
    attempts: 3,
    retryAfterMs: 50,
  })
})

test('errors of other services that say nothing about having run pass on', async () => {
  const inner = new CoveyError('NOT_FOUND', 'no such room')
  inner.path = 'rooms.get'
  assert.equal(await failure(bench(failing(inner)).run()), inner)
})

test('a call that was cancelled ends with that reason and is no failure of the handler', async () => {
  const reason = new CoveyError('DRAINING', 'the instance is stopping; open the stream again')
  reason.path = 'rooms.get'
  // As `fetch` throws it, as the timers of Node do, and as a call that the handler made does.
  const wrapped = new DOMException('This operation was aborted', 'AbortError')
  Object.defineProperty(wrapped, 'cause', { value: reason })
  const copied = new CoveyError(reason.code, reason.message, { cause: reason })
  copied.path = 'rooms.get'
  for (const thrown of [reason, wrapped, copied]) {
    const { log, call, run } = bench(failing(thrown))
    call.cancel(reason)
    assert.equal(await failure(run()), reason)
    assert.deepEqual(log.lines, [])
  }
})

test('a failure that has nothing to do with the cancellation is reported still', async () => {
  const { log, call, run } = bench(failing(new Error('the disk is full')))
  call.cancel(new CoveyError('CANCELLED', 'enough'))
  assert.equal((await failure(run())).code, 'INTERNAL')
  assert.equal(log.lines.length, 1)
})

test('a stream is reported when it breaks; elements before that arrive', async () => {
  const handler: Handler = async () =>
    (async function* () {
      yield 1
      yield 2
      throw new Error('password 123')
    })()
  const { log, run } = bench(handler, methods.items)
  const seen: unknown[] = []
  const error = await failure(
    (async () => {
      for await (const item of (await run()) as AsyncIterable<unknown>) seen.push(item)
    })(),
  )
  assert.deepEqual(seen, [1, 2])
  assert.equal(error.code, 'INTERNAL')
  assert.doesNotMatch(JSON.stringify(error.toData()), /password/)
  assert.deepEqual(log.messages('error'), ['users.items failed'])
})

test('results pass untouched', async () => {
  const result = { id: '7' }
  assert.equal(await bench(async () => result).run(), result)
})

test('what listeners of a cancellation throw is logged, and nobody else hears of it', async () => {
  const heard: string[] = []
  const { log, call, run } = bench(async (given) => {
    for (const name of ['first', 'second', 'third', 'fourth']) {
      given.onCancel(() => {
        heard.push(name)
        throw new Error(name)
      })
    }
  })
  await run()
  call.cancel(new CoveyError('CANCELLED', 'enough'))
  assert.deepEqual(heard, ['first', 'second', 'third', 'fourth'])
  const message = 'users.get: a listener of its cancellation failed'
  assert.deepEqual(log.messages('error'), [message, message, message, message])
  assert.equal(String(log.lines[0]?.fields.err), 'Error: first')
  assert.equal(log.lines[0]?.fields.traceId, call.trace.traceId)
})
