import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import type { Call } from '../call/call.ts'
import { currentCall } from '../call/call-storage.ts'
import { defineContract } from '../contract/define-contract.ts'
import { type AnyService, defineService } from '../contract/define-service.ts'
import { unary } from '../contract/method.ts'
import type { CoveyError } from '../error/covey-error.ts'
import { createClient } from '../rpc/create-client.ts'
import { health } from '../rpc/health.ts'
import { createRuntime } from '../rpc/runtime.ts'
import { defineSettings } from '../settings/define-settings.ts'
import { freePort } from '../testing/free-port.ts'
import { until } from '../testing/until.ts'
import { createApp } from './create-app.ts'
import { defineResource } from './define-resource.ts'

const quiet = { covey: { logLevel: 'silent', drainWaitMs: 0 } }

const inner = defineContract('inner', {
  facts: unary({
    output: z.object({ traceId: z.string(), leftMs: z.number(), protocol: z.string() }),
  }),
  hang: unary(),
  missing: unary(),
})

const outer = defineContract('outer', {
  facts: unary({
    output: z.object({ same: z.boolean(), leftMs: z.number(), protocol: z.string() }),
  }),
  hang: unary(),
  callNobody: unary({ idempotent: true }),
})

const nobody = defineContract('nobody', { ping: unary() })

function fixtures(runtime: ReturnType<typeof createRuntime>, seen: { aborted: number }) {
  const toInner = createClient(inner, { runtime })
  const innerService = defineService(inner, {
    facts: (_, call) => ({
      traceId: call.trace.traceId,
      leftMs: call.remainingMs(),
      protocol: call.peer.protocol,
    }),
    hang: (_, call) =>
      new Promise<void>(() => {
        call.signal.addEventListener('abort', () => {
          seen.aborted += 1
        })
      }),
    missing: () => {},
  })
  const outerService = defineService(outer, {
    async facts() {
      await new Promise((resolve) => setImmediate(resolve))
      const { traceId, leftMs, protocol } = await toInner.facts(undefined, { timeoutMs: 60_000 })
      return { same: traceId === (currentCall() as Call).trace.traceId, leftMs, protocol }
    },
    hang: () => toInner.hang(undefined, { timeoutMs: 60_000 }),
    callNobody: () => createClient(nobody, { runtime }).ping(),
  })
  return { innerService, outerService }
}

async function withApp(
  use: (runtime: ReturnType<typeof createRuntime>, seen: { aborted: number }) => Promise<void>,
): Promise<void> {
  const seen = { aborted: 0 }
  await using runtime = createRuntime({ registry: 'memory:' })
  const { innerService, outerService } = fixtures(runtime, seen)
  await using app = createApp({
    name: 'both',
    services: [innerService, outerService],
    runtime,
    overrides: quiet,
    ownsProcess: false,
  })
  await app.start()
  await use(runtime, seen)
}

test('within a process a call is direct, and context flows by itself', () =>
  withApp(async (runtime) => {
    const api = createClient(outer, { runtime })
    const facts = await api.facts(undefined, { timeoutMs: 1_000 })
    assert.equal(facts.same, true)
    assert.equal(facts.protocol, 'memory')
    assert.ok(
      facts.leftMs > 0 && facts.leftMs <= 1_000,
      `the deadline only shrinks: ${facts.leftMs}`,
    )
  }))

test('cancelling the outer call reaches the inner handler', () =>
  withApp(async (runtime, seen) => {
    const abort = new AbortController()
    const call = createClient(outer, { runtime }).hang(undefined, { signal: abort.signal })
    const outcome = call.catch((error: CoveyError) => error.code)
    await new Promise((resolve) => setImmediate(resolve))
    abort.abort()
    assert.equal(await outcome, 'CANCELLED')
    await until(() => seen.aborted === 1, 'the inner handler saw its signal abort')
  }))

test('the deadline of the outer call ends the inner one', () =>
  withApp(async (runtime, seen) => {
    const call = createClient(outer, { runtime }).hang(undefined, { timeoutMs: 50 })
    await assert.rejects(call, { code: 'DEADLINE_EXCEEDED' })
    await until(() => seen.aborted === 1, 'the inner handler saw its signal abort')
  }))

test('"not run" of an inner call does not become "not run" of the outer one', () =>
  withApp(async (runtime) => {
    const error = (await createClient(outer, { runtime })
      .callNobody()
      .catch((thrown: unknown) => thrown)) as CoveyError
    assert.equal(error.code, 'DEPENDENCY_UNAVAILABLE')
    assert.deepEqual((error.details as { method: string }).method, 'nobody.ping')
  }))

test('every application tells its health', () =>
  withApp(async (runtime) => {
    const lists = (await runtime.registry()).watch('inner')
    for await (const [instance] of lists) {
      const api = createClient(health, { runtime, target: instance!.addresses[0]! })
      const report = await api.check()
      assert.deepEqual([report.state, report.app, report.pid], ['ready', 'both', process.pid])
      break
    }
  }))

function recorder(log: string[], name: string, fails = false) {
  return defineResource(name, {
    start() {
      if (fails) throw new Error('no disk')
      log.push(`+${name}`)
      return name.toUpperCase()
    },
    stop: (value) => void log.push(`-${value}`),
  })
}

test('resources start in order and stop in the opposite one', async () => {
  const log: string[] = []
  const [a, b] = [recorder(log, 'a'), recorder(log, 'b')]
  await using runtime = createRuntime({ registry: 'memory:' })
  const app = createApp({
    name: 'ordered',
    resources: [a, b],
    services: ({ get }) => {
      log.push(`${get(a)}${get(b)}`)
      return [] as AnyService[]
    },
    runtime,
    overrides: quiet,
    ownsProcess: false,
  })
  await app.start()
  assert.equal(app.state, 'ready')
  await Promise.all([app.stop(), app.stop()])
  assert.deepEqual(log, ['+a', '+b', 'AB', '-B', '-A'])
})

test('a resource that fails is named, and what had started is stopped', async () => {
  const log: string[] = []
  await using runtime = createRuntime({ registry: 'memory:' })
  const app = createApp({
    name: 'broken',
    resources: [recorder(log, 'a'), recorder(log, 'b', true)],
    runtime,
    overrides: quiet,
    ownsProcess: false,
  })
  await assert.rejects(app.start(), (error: CoveyError) => {
    assert.equal(error.code, 'START_FAILED')
    assert.equal(error.message, 'resource "b": no disk')
    return true
  })
  assert.deepEqual(log, ['+a', '-A'])
  assert.equal(app.state, 'stopped')
})

test('a resource that is not listed is told by name', async () => {
  await using runtime = createRuntime({ registry: 'memory:' })
  const forgotten = recorder([], 'forgotten')
  const app = createApp({
    name: 'forgetful',
    services: ({ get }) => [get(forgotten) as unknown as AnyService],
    runtime,
    overrides: quiet,
    ownsProcess: false,
  })
  await assert.rejects(app.start(), /resource "forgotten" is not started: list it in "resources"/)
})

test('settings reach the application; wrong ones are listed all at once', async () => {
  const settings = defineSettings('shop', {
    size: z.number().min(1),
    name: z.string().default('x'),
  })
  await using runtime = createRuntime({ registry: 'memory:' })
  const make = (shop: object) =>
    createApp({
      name: 'shop',
      settings,
      services: ({ settings: { size, name } }) => {
        assert.deepEqual([size, name], [3, 'x'])
        return []
      },
      runtime,
      overrides: { ...quiet, shop },
      ownsProcess: false,
    })
  const app = make({ size: 3 })
  await app.start()
  await app.stop()
  await assert.rejects(make({ size: 0, nmae: 'y' }).start(), (error: CoveyError) => {
    assert.equal(error.code, 'INVALID_SETTINGS')
    assert.match(error.message, /shop\.size/)
    assert.match(error.message, /nmae/)
    return true
  })
})

test('a port in use is told with the address', async () => {
  const port = await freePort()
  await using runtime = createRuntime({ registry: 'memory:' })
  const make = (name: string) =>
    createApp({
      name,
      runtime,
      overrides: { covey: { ...quiet.covey, port } },
      ownsProcess: false,
    })
  await using first = make('first')
  await first.start()
  await assert.rejects(make('second').start(), (error: CoveyError) => {
    assert.equal(error.code, 'ADDRESS_IN_USE')
    assert.match(error.message, new RegExp(`tcp://127.0.0.1:${port} is in use`))
    return true
  })
})

test('an application starts once', async () => {
  await using runtime = createRuntime({ registry: 'memory:' })
  await using app = createApp({ name: 'once', runtime, overrides: quiet, ownsProcess: false })
  await app.start()
  await assert.rejects(app.start(), { code: 'FAILED_PRECONDITION' })
})
