import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { TimerWheel } from '../base/timer-wheel.ts'
import { Call, type CallInit } from '../call/call.ts'
import { defineContract } from '../contract/define-contract.ts'
import { defineService } from '../contract/define-service.ts'
import { serverStream, unary } from '../contract/method.ts'
import { CallMetrics } from '../observe/call-metrics.ts'
import { createDispatcher } from '../rpc/dispatcher.ts'
import { type HealthReport, health } from '../rpc/health.ts'
import { FakeClock } from '../testing/fake-clock.ts'
import { RecordingLog } from '../testing/recording-log.ts'

const users = defineContract('users', {
  get: unary({ input: z.object({ id: z.string() }), output: z.string() }),
  list: serverStream({ output: z.string() }),
})

function bench(logCalls: boolean) {
  const clock = new FakeClock()
  const log = new RecordingLog()
  const service = defineService(users, {
    async get({ id }) {
      await clock.advance(12)
      return id
    },
    async *list() {
      yield 'a'
      await clock.advance(30)
    },
  })
  const wellbeing = defineService(health, { check: () => ({}) as HealthReport })
  const dispatcher = createDispatcher([service, wellbeing], {
    instance: 'i1',
    wheel: new TimerWheel(clock),
    log,
    metrics: new CallMetrics(),
    logCalls,
    middleware: [],
  })
  const peer = { protocol: 'tcp', address: '10.0.0.7:1', connectionId: 'c', identity: undefined }
  const serve = (method: Call['method'], input?: unknown, init: CallInit = {}) => {
    const call = new Call(method, input, { clock, peer, ...init })
    return { call, result: dispatcher.serve(call) }
  }
  return { log, serve }
}

test('each call of a service gets a line: who, how long, how it ended, and nothing of what was said', async () => {
  const { log, serve } = bench(true)
  const { call, result } = serve(users.methods.get, { id: 'a secret' })
  await result
  const { traceId } = call.trace
  const common = { method: 'users.get', peer: 'tcp 10.0.0.7:1' }
  assert.deepEqual(log.lines, [
    {
      level: 'debug',
      fields: { ...common, ms: 12, traceId },
      message: 'users.get answered in 12 ms',
    },
  ])
  const identity = { subject: 'ada', claims: {} }
  const peer = { protocol: 'tls', address: 'b', connectionId: 'c', identity }
  const wrong = serve(users.methods.get, { id: 7 }, { peer, mode: 'submit' })
  await assert.rejects(wrong.result, { code: 'INVALID_INPUT' })
  const { fields, message } = log.lines[1]!
  assert.equal(message, 'users.get failed with INVALID_INPUT in 0 ms')
  assert.deepEqual(
    [fields.code, fields.subject, fields.peer, fields.mode],
    ['INVALID_INPUT', 'ada', 'tls b', 'submit'],
  )
  const { call: first, result: once } = serve(users.methods.get, { id: '7' })
  await once
  const again = first.again(first, 2)
  await serve(users.methods.get, { id: '7' }, again).result
  assert.deepEqual([log.lines[2]!.fields.attempt, log.lines[3]!.fields.attempt], [undefined, 2])
  assert.doesNotMatch(JSON.stringify(log.lines), /a secret/)
})

test('a stream gets its line at its end, the framework itself gets none', async () => {
  const { log, serve } = bench(true)
  const stream = (await serve(users.methods.list).result) as AsyncIterable<string>
  assert.deepEqual(log.lines, [])
  for await (const _ of stream);
  await serve(health.methods.check).result
  assert.deepEqual(log.messages('debug'), ['users.list answered in 30 ms'])
})

test('nothing is written unless it is asked for', async () => {
  const { log, serve } = bench(false)
  await serve(users.methods.get, { id: '7' }).result
  assert.deepEqual(log.lines, [])
})
