import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { TimerWheel } from '../base/timer-wheel.ts'
import { Call, type CallInit } from '../call/call.ts'
import { currentCall } from '../call/call-storage.ts'
import type { Middleware } from '../call/handler.ts'
import { defineContract } from '../contract/define-contract.ts'
import { type AnyService, defineService } from '../contract/define-service.ts'
import { unary } from '../contract/method.ts'
import { FakeClock } from '../testing/fake-clock.ts'
import { RecordingLog } from '../testing/recording-log.ts'
import { createDispatcher } from './dispatcher.ts'

const users = defineContract('users', {
  get: unary({ input: z.object({ id: z.string() }), output: z.object({ id: z.string() }) }),
  inCall: unary({ output: z.boolean() }),
  fail: unary(),
})
const rooms = defineContract('rooms', { list: unary({ output: z.array(z.string()) }) })

const usersService = defineService(users, {
  get: ({ id }) => ({ id, password: 'x' }),
  inCall: (_, call) => currentCall() === (call as unknown as Call),
  fail() {
    throw new Error('password 123')
  },
})
const roomsService = defineService(rooms, { list: async () => ['r1'] })

function bench(services: readonly AnyService[], middleware: readonly Middleware[] = []) {
  const clock = new FakeClock()
  const log = new RecordingLog()
  const wheel = new TimerWheel(clock)
  const dispatcher = createDispatcher(services, { instance: 'i1', wheel, log, middleware })
  const serve = (method: Call['method'], input?: unknown, init: CallInit = {}) =>
    dispatcher.serve(new Call(method, input, { clock, ...init }))
  return { clock, log, dispatcher, serve }
}

test('it knows its instance and all methods, in the order of their services', () => {
  const { dispatcher } = bench([usersService, roomsService])
  assert.equal(dispatcher.instance, 'i1')
  assert.deepEqual(
    dispatcher.methods.map(({ path }) => path),
    ['users.get', 'users.inCall', 'users.fail', 'rooms.list'],
  )
})

test('a call reaches its handler, through the stack of the server', async () => {
  const { serve, log } = bench([usersService, roomsService])
  const { get, inCall, fail } = users.methods
  assert.deepEqual(await serve(get, { id: '7' }), { id: '7' })
  assert.deepEqual(await serve(rooms.methods.list), ['r1'])
  assert.equal(await serve(inCall), true)
  await assert.rejects(serve(get, { id: 7 }), { code: 'INVALID_INPUT' })
  await assert.rejects(serve(get, { id: '7' }, { deadlineMs: 0 }), { code: 'DEADLINE_EXCEEDED' })
  await assert.rejects(serve(fail), { code: 'INTERNAL', message: /^users\.fail failed; error id / })
  assert.deepEqual(log.messages('error'), ['users.fail failed'])
})

test('the middleware of the user is in the call and sees checked input and raw output', async () => {
  const seen: unknown[] = []
  const watch: Middleware = (next) => async (call) => {
    const result = await next(call)
    seen.push(currentCall() === call, call.input, result)
    return result
  }
  const { serve } = bench([usersService], [watch])
  await serve(users.methods.get, { id: '7', extra: 1 })
  assert.deepEqual(seen, [true, { id: '7' }, { id: '7', password: 'x' }])
  await assert.rejects(serve(users.methods.get, {}), { code: 'INVALID_INPUT' })
  assert.equal(seen.length, 3)
})

test('the stack is composed once for each method, not at each call', async () => {
  let composed = 0
  const count: Middleware = (next) => {
    composed += 1
    return next
  }
  const { serve } = bench([usersService], [count])
  assert.equal(composed, 3)
  await serve(users.methods.get, { id: '7' })
  await serve(users.methods.get, { id: '8' })
  assert.equal(composed, 3)
})

test('handlers see their siblings as `this`', async () => {
  const sums = defineContract('sums', { one: unary({ output: z.number() }), two: unary() })
  const service = defineService(sums, {
    one() {
      return Object.keys(this).length
    },
    two() {},
  })
  assert.equal(await bench([service]).serve(sums.methods.one), 2)
})

test('a method that nobody serves is told as such', async () => {
  const { serve } = bench([usersService])
  await assert.rejects(serve(rooms.methods.list), {
    code: 'UNIMPLEMENTED',
    message: 'no method rooms.list',
  })
})

test('two services of one name are refused, also with other methods', () => {
  const more = defineService(defineContract('users', { put: unary() }), { put() {} })
  for (const second of [usersService, more]) {
    assert.throws(() => bench([usersService, roomsService, second]), {
      name: 'TypeError',
      message: 'two services have the name "users"',
    })
  }
})
