import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { defineContract } from '../contract/define-contract.ts'
import { defineService } from '../contract/define-service.ts'
import { serverStream, unary } from '../contract/method.ts'
import type { CoveyError } from '../error/covey-error.ts'
import { createGateway } from '../gateway/create-gateway.ts'
import { createClient } from '../rpc/create-client.ts'
import { health } from '../rpc/health.ts'
import { createRuntime } from '../rpc/runtime.ts'
import { stats } from '../rpc/stats.ts'
import { freePort } from '../testing/free-port.ts'
import { createApp } from './create-app.ts'
import { defineResource } from './define-resource.ts'

const mill = defineContract('mill', {
  grind: unary({ output: z.number(), timeoutMs: 60_000 }),
  /** Asks its own process five times before it grinds. */
  roast: unary({ output: z.number(), timeoutMs: 60_000 }),
  /** How the one who asks is connected. */
  who: unary({ output: z.string() }),
  pour: serverStream({ output: z.number(), timeoutMs: 60_000 }),
})

/** Uses the processor. */
function burn(ms: number): void {
  const endMs = performance.now() + ms
  while (performance.now() < endMs);
}

/** An application whose calls take 4 ms of the processor each, and clients that reach it over TCP. */
async function startMill(covey: object) {
  await using stack = new AsyncDisposableStack()
  const runtime = stack.use(createRuntime({ registry: 'memory:' }))
  let ground = 0
  const grind = () => {
    burn(4)
    ground += 1
    return ground
  }
  const local = createClient(mill, { runtime })
  const service = defineService(mill, {
    grind,
    async roast() {
      for (let n = 0; n < 5; n++) assert.equal(await local.who(), 'memory')
      return grind()
    },
    who: (_, { peer }) => peer.protocol,
    async *pour() {
      burn(4)
      yield 1
    },
  })
  let gatewayUrl = ''
  const gateway = defineResource('gateway', {
    async start(context) {
      const port = await freePort()
      const opened = await createGateway({ context, port, services: [service], http: {} })
      gatewayUrl = opened.url
      return opened
    },
    stop: (opened) => opened.stop(),
  })
  const app = createApp({
    name: 'mill',
    services: [service],
    resources: [gateway],
    overrides: { covey: { logLevel: 'silent', drainWaitMs: 0, http: { port: 0 }, ...covey } },
    runtime,
    ownsProcess: false,
  })
  await app.start()
  stack.defer(() => app.stop())
  const target = app.address
  const [, httpUrl] = app.instance.addresses
  const moved = stack.move()
  return {
    api: createClient(mill, { target, runtime }),
    health: createClient(health, { target, runtime }),
    stats: createClient(stats, { target, runtime }),
    httpUrl: httpUrl!,
    gatewayUrl,
    ground: () => ground,
    [Symbol.asyncDispose]: () => moved.disposeAsync(),
  }
}

/** How many of these succeeded; the others have to be refused because there were too many. */
async function succeeded(calls: readonly Promise<unknown>[]): Promise<number> {
  const outcomes = await Promise.allSettled(calls)
  let good = 0
  for (const outcome of outcomes) {
    if (outcome.status === 'fulfilled') good += 1
    else assert.equal((outcome.reason as CoveyError).code, 'RESOURCE_EXHAUSTED')
  }
  return good
}

const many = <T>(count: number, make: () => T) => Array.from({ length: count }, make)

/** What is told to a call that is refused. */
interface Refusal {
  readonly waiting: number
  readonly lateMs: number
}

/** As good as nobody may wait. */
const impatient = { admission: { enabled: true, maxWaitMs: 1 } }

test('whoever asks for health or figures of a busy application is not kept waiting', async () => {
  // All of the time they have, however slow the machine is.
  await using subject = await startMill({ admission: { enabled: true, maxWaitMs: 60_000 } })
  await subject.api.grind()
  const calls = many(200, () => subject.api.grind())
  const { state } = await subject.health.check(undefined, { timeoutMs: 60_000 })
  assert.equal(state, 'ready')
  const { admission } = await subject.stats.read(undefined, { timeoutMs: 60_000 })
  assert.ok(subject.ground() < 100, `${subject.ground()} of 200 were begun by then`)
  assert.ok(admission!.waiting > 0 && admission!.waited > 50, JSON.stringify(admission))
  assert.equal(await succeeded(calls), 200, 'there was time for all of them')
})

test('what would have to wait too long was not run, in all modes and kinds', async () => {
  await using subject = await startMill(impatient)
  const ask = [
    () => subject.api.grind(),
    () => subject.api.grind.notify(),
    () => subject.api.grind.submit(),
  ]
  for (const call of ask as (() => Promise<unknown>)[]) {
    const before = subject.ground()
    const good = await succeeded(many(60, call))
    assert.ok(good > 0 && good < 60, `${good} of 60`)
    assert.equal(subject.ground() - before, good)
  }
  const first = async () => {
    for await (const one of subject.api.pour()) return one
  }
  const good = await succeeded(many(60, first))
  assert.ok(good > 0 && good < 60, `${good} of 60`)
  const { admission, methods } = await subject.stats.read(undefined, { timeoutMs: 60_000 })
  const refused = methods.map(({ errors }) => errors.RESOURCE_EXHAUSTED ?? 0)
  assert.equal(
    admission!.refused,
    refused.reduce((sum, count) => sum + count),
  )
})

test('what calls ask of their own process does not make them look cheaper', async () => {
  await using subject = await startMill({ admission: { enabled: true, maxWaitMs: 100 } })
  const costs: number[] = []
  // The first ones of them show what they take, and are run.
  for (let n = 0; n < 30 && costs.length <= 10; n++) {
    const outcomes = await Promise.allSettled(many(60, () => subject.api.roast()))
    for (const outcome of outcomes) {
      if (outcome.status === 'fulfilled') continue
      const { waiting, lateMs } = (outcome.reason as CoveyError).details as Refusal
      if (waiting > 0) costs.push(lateMs / waiting)
    }
  }
  assert.ok(costs.length > 10, `${costs.length} refused`)
  costs.sort((one, other) => one - other)
  const median = costs[Math.floor(costs.length / 2)]!
  assert.ok(median > 3.8, `${median} ms for a call of 4 ms`)
})

test('switched off, everything is begun as it comes', async () => {
  await using subject = await startMill({ admission: { enabled: false, maxWaitMs: 1 } })
  assert.equal(await succeeded(many(60, () => subject.api.grind())), 60)
  const figures = await subject.stats.read(undefined, { timeoutMs: 60_000 })
  assert.equal('admission' in figures, false)
})

test('calls over HTTP are looked at as well, at the port and at a gateway', async () => {
  await using subject = await startMill(impatient)
  const names = Array.from({ length: 60 }, (_, index) => [`n${index}`, { method: 'mill.grind' }])
  for (const url of [subject.httpUrl, subject.gatewayUrl]) {
    const response = await fetch(`${url}/rpc/batch`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(Object.fromEntries(names)),
    })
    const outcomes = Object.values((await response.json()) as Record<string, Outcome>)
    const refused = outcomes.filter(({ ok }) => !ok)
    assert.ok(refused.length > 0 && refused.length < 60, `${refused.length} of 60 at ${url}`)
    for (const { error } of refused) {
      assert.equal(error!.code, 'RESOURCE_EXHAUSTED')
      assert.equal(error!.details.rule, 'admission')
      assert.ok(error!.details.retryAfterMs >= 20)
    }
  }
  const { methods } = await subject.stats.read(undefined, { timeoutMs: 60_000 })
  const { calls } = methods.find(({ method }) => method === 'mill.grind')!
  assert.equal(calls, 120, 'those of the gateway are counted')
})

interface Outcome {
  readonly ok: boolean
  readonly error?: {
    readonly code: string
    readonly details: { readonly rule: string; readonly retryAfterMs: number }
  }
}
