import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { MemoryRegistry } from '../discovery/memory-registry.ts'
import { createClient } from '../rpc/create-client.ts'
import { type CollectedResult, resultContract } from '../rpc/result-contract.ts'
import { results } from '../rpc/results.ts'
import { createRuntime } from '../rpc/runtime.ts'
import { stats } from '../rpc/stats.ts'
import { startChildServer } from '../testing/child-server.ts'
import { echo } from '../testing/fixtures/echo-contract.ts'
import { echoService } from '../testing/fixtures/echo-service.ts'
import { jobs } from '../testing/fixtures/jobs-contract.ts'
import { freePort } from '../testing/free-port.ts'
import { outside, serveJobs } from '../testing/jobs-app.ts'
import { sampleInstance } from '../testing/registry-suite.ts'
import { until } from '../testing/until.ts'
import { createApp } from './create-app.ts'

const limited = { timeout: 20_000 }
const collectPath = resultContract.methods.collect.path

/** Two instances of `jobs`, and clients at the address of the second one, as a balancer might send them there. */
async function twoInstances(registry = new MemoryRegistry()) {
  await using stack = new AsyncDisposableStack()
  const start = async () => {
    const runtime = stack.use(createRuntime({ registry }))
    const served = await serveJobs(runtime, { http: { port: 0 } })
    stack.defer(() => served.app.stop())
    return served
  }
  const [one, two] = [await start(), await start()]
  const [known, runtime] = [stack.use(outside(registry)), stack.use(outside())]
  const [target, http] = two.app.instance.addresses as [string, string]
  const moved = stack.move()
  return {
    one,
    two,
    byRegistry: createClient(jobs, { runtime: known }),
    byTarget: createClient(jobs, { target, runtime }),
    byHttp: createClient(jobs, { target: http, runtime }),
    /** Plain HTTP, at the second one. */
    collect: (token: string, query = '') => fetch(`${http}/rpc/results/${token}${query}`),
    http,
    figures: createClient(stats, { target, runtime }),
    [Symbol.asyncDispose]: () => moved.disposeAsync(),
  }
}

async function codeOf(response: Response): Promise<string> {
  return ((await response.json()) as { code: string }).code
}

test('a token leads to its instance, whoever is asked, and however', limited, async () => {
  await using both = await twoInstances()
  const { one, two, byRegistry, byTarget, byHttp, collect } = both
  const there = { instance: one.app.instance.id }
  const { token } = await byRegistry.gated.submit(undefined, there)
  const { token: here } = await byRegistry.gated.submit(undefined, {
    instance: two.app.instance.id,
  })

  const running = await collect(token)
  assert.deepEqual([running.status, await running.json()], [202, { state: 'running' }])
  const clients = [byRegistry, byTarget, byHttp]
  const waiting = clients.map(({ gated }) => gated.ticket(token).result())
  const held = collect(token, '?waitMs=15000')
  one.open()
  assert.deepEqual(await Promise.all(waiting), Array(3).fill(there.instance))
  assert.equal(await (await held).json(), there.instance)
  assert.equal(await (await collect(token)).json(), there.instance)

  two.open()
  const tickets = [token, here].map((each) => byTarget.gated.ticket(each))
  const values = (await results(tickets)).map((outcome) => outcome.ok && outcome.value)
  assert.deepEqual(values, [there.instance, two.app.instance.id])
})

test('where tokens of both are asked for at once each is told in its turn', limited, async () => {
  await using both = await twoInstances()
  const { one, two, byRegistry, http } = both
  const ids = [one, two].map(({ app }) => app.instance.id)
  const submit = (instance: string) => byRegistry.echo.submit(instance, { instance })
  const [theirs, own] = [await submit(ids[0]!), await submit(ids[1]!)]
  const never = `gone~${'a'.repeat(24)}`
  const ask = async (...tokens: string[]) => {
    const answer = await fetch(`${http}/rpc/covey.results/collect`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ tokens, waitMs: 60_000 }),
    })
    return (await answer.json()) as CollectedResult[]
  }
  const states = (found: CollectedResult[]) => found.map(({ state }) => state)
  assert.deepEqual(await ask(theirs.token, own.token), [
    { state: 'running' },
    { state: 'done', value: ids[1] },
  ])
  const gated = await byRegistry.gated.submit(undefined, { instance: ids[1]! })
  assert.deepEqual(await ask(gated.token, theirs.token, never), [
    { state: 'running' },
    { state: 'done', value: ids[0] },
    { state: 'running' },
  ])
  const slow = await byRegistry.gated.submit(undefined, { instance: ids[0]! })
  assert.deepEqual(states(await ask(slow.token, gated.token)), ['running', 'running'])
  one.open()
  assert.deepEqual(states(await ask(never, 'nonsense')), ['running', 'unknown'])
  assert.deepEqual(states(await ask(never)), ['failed'])
  two.open()
})

test('a token leads to an instance that stops until it has ended', limited, async () => {
  const registry = new MemoryRegistry()
  await using both = await twoInstances(registry)
  const { one, byRegistry, byTarget, collect } = both
  const there = { instance: one.app.instance.id }
  const { token } = await byRegistry.gated.submit(undefined, there)
  const stop = one.app.stop()
  const state = async () => {
    for await (const list of registry.watch('jobs')) return list.map((item) => item.state).sort()
    return []
  }
  await until(async () => (await state())[0] === 'draining', 'it is stopping')
  assert.equal((await collect(token)).status, 202)
  const waiting = byTarget.gated.ticket(token).result()
  // It waits by now: this goes the same way behind it.
  const early = byTarget.gated.ticket(token).result({ timeoutMs: 0 })
  await assert.rejects(early, /the call is still running/)
  one.open()
  assert.equal(await waiting, there.instance)
  await stop
  const gone = new RegExp(`instance ${there.instance} is gone, and the result with it`)
  for (const client of [byRegistry, byTarget]) {
    const asked = client.gated.ticket(token).result()
    await assert.rejects(asked, { code: 'RESULT_LOST', message: gone, path: 'jobs.gated' })
  }
  const answer = await collect(token)
  assert.equal(await codeOf(answer), 'RESULT_LOST')
})

test('one that is listed but cannot be reached may come back: ask again', limited, async () => {
  const registry = new MemoryRegistry()
  await using both = await twoInstances(registry)
  const addresses = [`tcp://127.0.0.1:${await freePort()}`]
  await registry.register(sampleInstance('lost', { services: ['jobs'], addresses }))
  const answer = await both.collect(`lost~${'a'.repeat(24)}`)
  assert.deepEqual([answer.status, await answer.json()], [202, { state: 'running' }])
})

test('who waits for a result from elsewhere holds up no stop', limited, async () => {
  await using both = await twoInstances()
  const { one, two, byRegistry, collect, figures } = both
  const there = { instance: one.app.instance.id }
  const { token } = await byRegistry.gated.submit(undefined, there)
  const held = collect(token, '?waitMs=60000')
  const waits = async () => {
    const { methods } = await figures.read()
    return methods.some(({ method, running }) => method === collectPath && running === 1)
  }
  await until(waits, 'the question waits')
  await two.app.stop()
  assert.equal((await held).status, 202)
  one.open()
})

test('results of a killed instance are told as gone, by others too', limited, async () => {
  const directory = await mkdtemp(join(tmpdir(), 'covey-killed-'))
  const registry = `file:${directory}/registry`
  try {
    await using server = await startChildServer(registry)
    await using runtime = createRuntime({ registry })
    const api = createClient(echo, { runtime })
    const { token } = await api.echo.submit(7)
    await using app = createApp({
      name: 'echo',
      services: [echoService],
      runtime,
      overrides: { covey: { logLevel: 'silent', drainWaitMs: 0, http: { port: 0 } } },
      ownsProcess: false,
    })
    await app.start()
    const collect = () => fetch(`${app.instance.addresses[1]}/rpc/results/${token}`)
    assert.equal(await (await collect()).json(), 7)
    server.signal('SIGKILL')
    await server.gone
    await assert.rejects(api.echo.ticket(token).result(), { code: 'RESULT_LOST' })
    assert.equal(await codeOf(await collect()), 'RESULT_LOST')
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
})
