import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import type { Call } from '../call/call.ts'
import type { Middleware } from '../call/handler.ts'
import { defineContract } from '../contract/define-contract.ts'
import { defineService } from '../contract/define-service.ts'
import { unary } from '../contract/method.ts'
import { CoveyError } from '../error/covey-error.ts'
import { createClient } from '../rpc/create-client.ts'
import { health } from '../rpc/health.ts'
import { reflect } from '../rpc/reflect.ts'
import { createRuntime } from '../rpc/runtime.ts'
import { stats } from '../rpc/stats.ts'
import type { AppOptions } from './app.ts'
import { createApp } from './create-app.ts'

const greeter = defineContract('greeter', { greet: unary({ output: z.string() }) })
const greeterService = defineService(greeter, { greet: () => 'hello' })

/** An application, and clients of another process for what it serves. */
async function serve(options: Partial<AppOptions>) {
  await using stack = new AsyncDisposableStack()
  const runtime = stack.use(createRuntime({ registry: 'memory:' }))
  const app = createApp({
    name: 'greeter',
    services: [greeterService],
    overrides: { covey: { logLevel: 'silent', drainWaitMs: 0, http: { port: 0 } } },
    runtime,
    ownsProcess: false,
    ...options,
  })
  await app.start()
  stack.defer(() => app.stop())
  const other = stack.use(createRuntime({ registry: 'memory:' }))
  const [target, http] = app.instance.addresses
  const to = { target: target!, runtime: other }
  const moved = stack.move()
  return {
    http: http!,
    greeter: createClient(greeter, to),
    health: createClient(health, to),
    stats: createClient(stats, to),
    reflect: createClient(reflect, to),
    [Symbol.asyncDispose]: () => moved.disposeAsync(),
  }
}

/** Notes which calls it sees. */
function witness(seen: string[]): Middleware {
  return (next) => (call) => {
    seen.push(call.method.path)
    return next(call)
  }
}

const demandsToken: Middleware = (next) => async (call) => {
  if (call.metadata.get('token') !== 'open sesame') {
    throw new CoveyError('UNAUTHENTICATED', `${call.method.path}: no token`)
  }
  return next(call)
}

const withToken = { metadata: { token: 'open sesame' } }

test('what authenticates and writes a log for the services of an application leaves those of the framework alone', async () => {
  const seen: string[] = []
  await using app = await serve({ middleware: [witness(seen), demandsToken] })
  await assert.rejects(app.greeter.greet(), { code: 'UNAUTHENTICATED' })
  const ticket = await app.greeter.greet.submit(undefined, withToken)
  assert.equal(await ticket.result(), 'hello')
  assert.equal((await app.health.check()).state, 'ready')
  assert.equal((await app.stats.read()).app, 'greeter')
  const names = (await app.reflect.contracts()).map(({ name }) => name)
  assert.deepEqual(names, [
    'greeter',
    'covey.health',
    'covey.stats',
    'covey.results',
    'covey.reflect',
  ])
  assert.deepEqual(seen, ['greeter.greet', 'greeter.greet'])
})

test('what an application demands for the services of the framework guards all but its health', async () => {
  const seen: string[] = []
  await using app = await serve({ systemMiddleware: [witness(seen), demandsToken] })
  const refused = { code: 'UNAUTHENTICATED' }
  const ticket = await app.greeter.greet.submit()
  await assert.rejects(ticket.result({ timeoutMs: 1_000 }), refused)
  assert.equal(await ticket.result({ timeoutMs: 1_000, ...withToken }), 'hello')
  await assert.rejects(app.stats.read(), refused)
  await assert.rejects(app.reflect.contracts(), refused)
  assert.equal((await app.stats.read(undefined, withToken)).instance, ticket.token.split('~')[0])
  assert.equal((await app.health.check()).state, 'ready')
  assert.deepEqual(seen, [
    'covey.results.collect',
    'covey.results.collect',
    'covey.stats.read',
    'covey.reflect.contracts',
    'covey.stats.read',
  ])
})

test('guests of an HTTP port learn nothing of what is behind it, but may ask whether it is well', async () => {
  const authenticate = async (token: string | undefined) => {
    return token === undefined ? undefined : { subject: token, claims: {} }
  }
  const seen: Call[] = []
  const note: Middleware = (next) => (call) => {
    seen.push(call)
    return next(call)
  }
  await using app = await serve({ http: { authenticate }, systemMiddleware: [note] })
  const post = async (path: string, headers: Record<string, string> = {}) => {
    const answer = await fetch(`${app.http}/rpc/${path}`, { method: 'POST', headers })
    return answer.status
  }
  assert.equal(await post('greeter/greet'), 200)
  assert.equal(await post('covey.health/check'), 200)
  assert.equal(await post('covey.stats/read'), 401)
  assert.equal(await post('covey.reflect/contracts'), 401)
  assert.equal(seen.length, 0)
  const member = { authorization: 'Bearer ada' }
  assert.equal(await post('covey.stats/read', member), 200)
  assert.equal(await post('covey.reflect/contracts', member), 200)
  const subjects = seen.map(({ peer }) => peer.identity?.subject)
  assert.deepEqual(subjects, ['ada', 'ada'])
  // The port that instances use among themselves is guarded by keys and certificates, or is loopback alone.
  assert.equal((await app.stats.read()).app, 'greeter')
})

test('without anything to prove every port tells', async () => {
  await using app = await serve({})
  const answer = await fetch(`${app.http}/rpc/covey.stats/read`, { method: 'POST' })
  assert.equal(answer.status, 200)
})
