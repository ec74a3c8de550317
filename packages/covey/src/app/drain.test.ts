import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryRegistry } from '../discovery/memory-registry.ts'
import type { CoveyError } from '../error/covey-error.ts'
import { createClient } from '../rpc/create-client.ts'
import { health } from '../rpc/health.ts'
import { createRuntime } from '../rpc/runtime.ts'
import { jobs } from '../testing/fixtures/jobs-contract.ts'
import { outside, serveJobs } from '../testing/jobs-app.ts'
import { until } from '../testing/until.ts'

/** Whether a call is refused as not run. */
function refused(call: Promise<unknown>): Promise<boolean> {
  return call.then(
    () => false,
    ({ code }: CoveyError) => code === 'UNAVAILABLE' || code === 'DRAINING',
  )
}

test('a stop sends callers away at once, while accepted work goes on and its results are told to all who come', {
  timeout: 20_000,
}, async () => {
  const registry = new MemoryRegistry()
  await using runtime = createRuntime({ registry })
  await using known = outside(registry)
  const { app, seen, open } = await serveJobs(runtime, { http: { port: 0 } })
  const [target, http] = app.instance.addresses as [string, string]
  const api = createClient(jobs, { runtime: known })
  const byTarget = createClient(jobs, { target, runtime: known })
  const byHttp = createClient(jobs, { target: http, runtime: known })
  const clients = [api, byTarget, byHttp]
  const tickets = await Promise.all(clients.map(({ gated }) => gated.submit()))
  await api.gated.notify()
  const waiting = tickets.map((ticket) => ticket.result())
  let stopped = false
  const stop = app.stop().then(() => {
    stopped = true
  })
  for (const client of clients) {
    await until(() => refused(client.echo(1)), 'no new call is taken')
    await until(() => refused(client.echo.notify(1)), 'nor one that nobody waits for')
  }
  assert.deepEqual([stopped, seen], [false, { begun: 4, done: 0, aborted: 0 }])

  // Who was not connected finds it, too: by the registry, by its address, and by any HTTP client.
  const token = tickets[0]!.token
  await using stranger = outside(registry)
  const late = [
    createClient(jobs, { runtime: stranger }),
    createClient(jobs, { target, runtime: stranger }),
    createClient(jobs, { target: http, runtime: stranger }),
  ]
  for (const client of late) {
    const early = client.gated.ticket(token).result({ timeoutMs: 0 })
    await assert.rejects(early, /the call is still running/)
    assert.equal(await refused(client.echo(1)), true)
  }
  const results = late.map((client) => client.gated.ticket(token).result())
  const running = await fetch(`${http}/rpc/results/${token}`)
  assert.deepEqual([running.status, await running.json()], [202, { state: 'running' }])
  const new_ = await fetch(`${http}/rpc/jobs/gated`, { method: 'POST' })
  assert.deepEqual([new_.status, (await new_.json()).code], [503, 'DRAINING'])
  const well = createClient(health, { target, runtime: stranger })
  assert.equal((await well.check()).state, 'draining')

  assert.equal(stopped, false)
  open()
  const { id } = app.instance
  assert.deepEqual(await Promise.all([...waiting, ...results]), Array(6).fill(id))
  await stop
  assert.deepEqual(seen, { begun: 4, done: 4, aborted: 0 })
  assert.deepEqual(await registry.services(), [])
})

test('what runs longer than a stop may take is broken off, and who waits is told', {
  timeout: 20_000,
}, async () => {
  await using runtime = createRuntime({ registry: 'memory:' })
  await using other = outside()
  const { app, seen } = await serveJobs(runtime, { shutdownMs: 100 })
  const api = createClient(jobs, { target: app.address, runtime: other })
  const waiting = (await api.gated.submit()).result()
  const outcome = assert.rejects(waiting, /the server stopped while it ran/)
  await until(() => seen.begun === 1, 'it runs')
  await app.stop()
  await outcome
  assert.equal(seen.aborted, 1)
})
