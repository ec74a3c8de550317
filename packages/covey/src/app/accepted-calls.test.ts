import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Ticket } from '../contract/ticket.ts'
import { MemoryRegistry } from '../discovery/memory-registry.ts'
import type { CoveyError } from '../error/covey-error.ts'
import { createClient } from '../rpc/create-client.ts'
import { results } from '../rpc/results.ts'
import { createRuntime } from '../rpc/runtime.ts'
import { startChaosProxy } from '../testing/chaos-proxy.ts'
import { jobs } from '../testing/fixtures/jobs-contract.ts'
import { outside, serveJobs } from '../testing/jobs-app.ts'
import { until } from '../testing/until.ts'

const client = fileURLToPath(new URL('../testing/fixtures/submit-and-hang.ts', import.meta.url))

test('accepted work survives the death of its caller, and another collects by token', {
  timeout: 20_000,
}, async () => {
  await using runtime = createRuntime({ registry: 'memory:' })
  const { app, seen, open } = await serveJobs(runtime)
  await using _ = app
  const child = spawn(process.execPath, [client, app.address], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const gone = once(child, 'exit')
  const [bytes] = (await once(child.stdout, 'data')) as [Buffer]
  child.kill('SIGKILL')
  await gone
  const token = String(bytes).trim()
  await using other = outside()
  const api = createClient(jobs, { target: app.address, runtime: other })
  const waiting = api.gated.ticket(token).result()
  await api.echo('the server goes on')
  assert.deepEqual(seen, { begun: 2, done: 0, aborted: 0 })
  open()
  assert.equal(await waiting, app.instance.id)
  assert.deepEqual(seen, { begun: 2, done: 2, aborted: 0 })
})

test('an instance that is gone for good takes its results along', {
  timeout: 20_000,
}, async () => {
  const registry = new MemoryRegistry()
  await using runtime = createRuntime({ registry })
  await using other = outside(registry)
  const { app } = await serveJobs(runtime)
  const byRegistry = createClient(jobs, { runtime: other })
  const byTarget = createClient(jobs, { target: app.address, runtime: other })
  const tickets = [await byRegistry.echo.submit(1), await byTarget.echo.submit(2)]
  assert.deepEqual(
    (await results(tickets)).map(({ ok }) => ok),
    [true, true],
  )
  const port = Number(new URL(app.address).port)
  await app.stop()
  await using next = (await serveJobs(runtime, { port })).app
  assert.notEqual(next.instance.id, app.instance.id)
  for (const ticket of tickets) {
    await assert.rejects(ticket.result(), { code: 'RESULT_LOST', path: 'jobs.echo' })
  }
})

test('of several instances each is asked for its own results', { timeout: 20_000 }, async () => {
  const registry = new MemoryRegistry()
  await using one = createRuntime({ registry })
  await using two = createRuntime({ registry })
  await using other = outside(registry)
  const apps = [await serveJobs(one), await serveJobs(two)]
  const api = createClient(jobs, { runtime: other })
  const ids = apps.map(({ app }) => app.instance.id)
  const tickets = await Promise.all(
    [...ids, ...ids].map((instance) => api.gated.submit(undefined, { instance })),
  )
  for (const { open } of apps) open()
  const elsewhere = createClient(jobs, { runtime: other, group: 'nobody' })
  const found = await results(tickets.map(({ token }) => elsewhere.gated.ticket(token)))
  assert.deepEqual(
    found.map((outcome) => outcome.ok && outcome.value),
    [...ids, ...ids],
  )
  for (const { app } of apps) await app.stop()
})

test('a result is waited for through broken connections', { timeout: 20_000 }, async () => {
  await using runtime = createRuntime({ registry: 'memory:' })
  await using other = outside()
  const { app, seen, open } = await serveJobs(runtime)
  await using _ = app
  await using proxy = await startChaosProxy(app.address)
  const api = createClient(jobs, { target: proxy.address, runtime: other })
  const waiting = (await api.gated.submit()).result()
  for (let cuts = 1; cuts <= 3; cuts++) {
    proxy.cut()
    await until(() => proxy.accepted > cuts && proxy.connections === 1, 'it is connected again')
  }
  assert.equal(seen.aborted, 0)
  open()
  assert.equal(await waiting, app.instance.id)
})

test('a connection that breaks before the acceptance is told as lost, and the call is not repeated', {
  timeout: 20_000,
}, async () => {
  await using runtime = createRuntime({ registry: 'memory:' })
  await using other = outside()
  const { app, seen } = await serveJobs(runtime, { shutdownMs: 0 })
  await using _ = app
  await using proxy = await startChaosProxy(app.address)
  const api = createClient(jobs, { target: proxy.address, runtime: other })
  await api.echo(1)
  proxy.set({ swallow: true }, 'down')
  const sent = assert.rejects(api.gated.notify(), { code: 'CONNECTION_LOST' })
  await until(() => seen.begun === 1, 'it has begun')
  proxy.cut()
  await sent
  proxy.clear()
  await until(() => api.echo(2).then(Boolean, () => false), 'it is connected again')
  assert.equal(seen.begun, 1)
})

test('ten thousand results wait, are collected at once, and then make room', {
  timeout: 30_000,
}, async () => {
  await using runtime = createRuntime({ registry: 'memory:' })
  await using other = outside()
  const { app } = await serveJobs(runtime)
  await using _ = app
  const api = createClient(jobs, { target: app.address, runtime: other })
  const tickets: Ticket<unknown>[] = []
  // Not all at once: a machine with other work would take longer than the 5 s for an acceptance.
  while (tickets.length < 10_000) {
    const from = tickets.length
    const asked = Array.from({ length: 500 }, (_, n) => api.echo.submit({ number: from + n }))
    tickets.push(...(await Promise.all(asked)))
  }
  assert.equal(new Set(tickets.map(({ token }) => token)).size, 10_000)
  const full = (await api.echo.submit(1).catch((error: unknown) => error)) as CoveyError
  assert.equal(full.code, 'RESOURCE_EXHAUSTED')
  assert.ok((full.details as { retryAfterMs: number }).retryAfterMs <= 600_000)
  await api.echo.notify(1)
  const found = await results(tickets)
  for (const [number, outcome] of found.entries()) {
    assert.deepEqual(outcome, { ok: true, value: { number } })
  }
  assert.equal(await (await api.echo.submit('room again')).result(), 'room again')
})
