import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { z } from 'zod'
import { createApp } from '../app/create-app.ts'
import { defineContract } from '../contract/define-contract.ts'
import { defineService } from '../contract/define-service.ts'
import { unary } from '../contract/method.ts'
import { MemoryRegistry } from '../discovery/memory-registry.ts'
import { startChaosProxy } from '../testing/chaos-proxy.ts'
import { createClient } from './create-client.ts'
import { createRuntime } from './runtime.ts'

// Over real sockets; `grey-failure.test.ts` and `ejections.test.ts` have the exact figures.

const work = defineContract('work', { run: unary({ output: z.string() }) })

/** Three servers, one of them behind a proxy, and callers who ask them all the time. */
async function threeServers(t: TestContext) {
  const disposables = new AsyncDisposableStack()
  t.after(() => disposables.disposeAsync())
  const state = { failing: 0, asking: true }
  const hits = { a: 0, b: 0, c: 0 }
  const start = async (name: 'a' | 'b' | 'c') => {
    const run = async () => {
      hits[name] += 1
      await wait(2)
      if (name === 'a' && Math.random() < state.failing) throw new Error('broken')
      return name
    }
    const app = createApp({
      name,
      services: [defineService(work, { run })],
      runtime: createRuntime({ registry: new MemoryRegistry() }),
      ownsProcess: false,
      overrides: { covey: { logLevel: 'silent', drainWaitMs: 0 } },
    })
    await app.start()
    disposables.defer(() => app.stop())
    return app.address
  }
  const proxy = disposables.use(await startChaosProxy(await start('a')))
  const target = [proxy.address, await start('b'), await start('c')]
  const runtime = disposables.use(createRuntime({ registry: new MemoryRegistry() }))
  const api = createClient(work, { runtime, target })
  await api.run()
  const callers = Array.from({ length: 16 }, async () => {
    while (state.asking) {
      await api.run().catch(() => {})
      await wait(5)
    }
  })
  disposables.defer(async () => {
    state.asking = false
    await Promise.all(callers)
  })
  /** The share of calls that `a` gets in the next so many milliseconds. */
  const share = async (ms: number) => {
    hits.a = hits.b = hits.c = 0
    await wait(ms)
    return hits.a / (hits.a + hits.b + hits.c)
  }
  /** How long it takes until `a` has a share that will do. */
  const within = async (limitMs: number, enough: (share: number) => boolean) => {
    const startMs = performance.now()
    while (!enough(await share(250))) {
      assert.ok(performance.now() - startMs < limitMs, `not within ${limitMs} ms`)
    }
    return performance.now() - startMs
  }
  return { state, proxy, share, within, runtime }
}

// Twice the two seconds, for a machine that is busy.
const limitMs = 4_000

test('an instance behind a slow network gets under 5 % of the calls', async (t) => {
  const { proxy, share, within } = await threeServers(t)
  await within(limitMs, (a) => a > 0.15)
  proxy.set({ latencyMs: 50 })
  const tookMs = await within(limitMs, (a) => a < 0.05)
  t.diagnostic(`after ${Math.round(tookMs)} ms`)
  const sick = await share(1_000)
  assert.ok(sick < 0.05, `${sick} of the calls`)
})

for (const rate of [0.2, 1]) {
  test(`an instance that fails ${rate * 100} % of its calls gets under 5 % of them, and its share when it is well`, async (t) => {
    const { state, share, within, runtime } = await threeServers(t)
    runtime.ejection.change({ baseMs: 2_000 })
    await within(limitMs, (a) => a > 0.15)
    state.failing = rate
    const tookMs = await within(limitMs, (a) => a < 0.05)
    t.diagnostic(`after ${Math.round(tookMs)} ms`)
    assert.match(JSON.stringify(runtime.callees), /ejected: \d+ % of \d+ calls failed \(INTERNAL\)/)
    const sick = await share(1_000)
    assert.ok(sick < 0.05, `${sick} of the calls`)
    state.failing = 0
    await within(15_000, (a) => a > 0.15)
  })
}
