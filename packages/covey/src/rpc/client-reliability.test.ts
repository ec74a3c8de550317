import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import type { App } from '../app/app.ts'
import { createApp } from '../app/create-app.ts'
import { MemoryRegistry } from '../discovery/memory-registry.ts'
import type { CoveyError } from '../error/covey-error.ts'
import { startChaosProxy } from '../testing/chaos-proxy.ts'
import { startChildServer } from '../testing/child-server.ts'
import { echo } from '../testing/fixtures/echo-contract.ts'
import { freePort } from '../testing/free-port.ts'
import { LocalFleet, whoami } from '../testing/local-fleet.ts'
import { sampleInstance } from '../testing/registry-suite.ts'
import { silentAddress } from '../testing/silent-address.ts'
import { until } from '../testing/until.ts'
import { createClient } from './create-client.ts'
import { createRuntime } from './runtime.ts'
import { stats } from './stats.ts'

// What a client survives. Many clients that come back at once are in `reconnect-herd*.test.ts`, calls that are given up in `cancelled-calls.test.ts`.

/** How long the system takes to say that nobody listens at a port, in milliseconds. */
async function refusalMs(port: number): Promise<number> {
  const startMs = performance.now()
  const socket = connect(port, '127.0.0.1')
  await new Promise((resolve) => socket.once('error', resolve))
  return performance.now() - startMs
}

function holdUp(ms: number): void {
  const untilMs = performance.now() + ms
  while (performance.now() < untilMs);
}

test('an address that answers nothing costs the time to connect, then the next one is tried', async () => {
  await using silent = await silentAddress()
  await using fleet = new LocalFleet({ limits: { connectMs: 300 } })
  const a = await fleet.start('a')
  await using registry = new MemoryRegistry()
  await using runtime = createRuntime({ registry, limits: { connectMs: 300 } })
  await registry.register({ ...a.instance, addresses: [silent.address, a.address] })
  const startMs = performance.now()
  assert.equal(await createClient(whoami, { runtime }).name(), 'a')
  const tookMs = performance.now() - startMs
  assert.ok(tookMs >= 295 && tookMs < 1_000, `${tookMs} ms`)

  const alone = createClient(whoami, { runtime, target: silent.address })
  await assert.rejects(alone.name(), (error: CoveyError) => {
    assert.match(error.message, /no answer within 300 ms; next try in/)
    return error.code === 'UNAVAILABLE'
  })
})

test('with all instances down 5,000 calls a second fail within 10 ms', async () => {
  await using registry = new MemoryRegistry()
  await using runtime = createRuntime({ registry })
  for (const id of ['a', 'b', 'c']) {
    const addresses = [`tcp://127.0.0.1:${await freePort()}`]
    await registry.register(sampleInstance(id, { services: ['whoami'], addresses }))
  }
  const port = await freePort()
  const api = createClient(whoami, { runtime })
  const down = { code: 'UNAVAILABLE', message: /ECONNREFUSED/ }
  await assert.rejects(api.name(), down)
  const waits: number[] = []
  // What the machine takes to refuse a bare connection, in the same moments: some calls meet such a try, and a busy machine stalls both.
  const refusals: number[] = []
  let waiting = 0
  for (let tick = 0; tick < 100; tick++) {
    const calls = Array.from({ length: 50 }, async () => {
      const startMs = performance.now()
      await assert.rejects(api.name(), { code: 'UNAVAILABLE' })
      waits.push(performance.now() - startMs)
    })
    waiting = Math.max(waiting, runtime.channel('whoami').waiting)
    refusals.push(await refusalMs(port))
    await Promise.all(calls)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  waits.sort((a, b) => a - b)
  const p99 = waits[Math.floor(waits.length * 0.99)]!
  const machineMs = Math.max(...refusals)
  assert.ok(p99 <= 10 + 2 * machineMs, `${p99} ms; a bare connection took up to ${machineMs} ms`)
  assert.ok(waits[waits.length / 2]! <= 10, `${waits[waits.length / 2]} ms`)
  // They do not pile up: no more wait than were made in one turn, and none is left.
  assert.ok(waiting <= 50, `${waiting} wait`)
  assert.equal(runtime.channel('whoami').waiting, 0)
})

test('a process tells how it stands with what it calls', async () => {
  await using fleet = new LocalFleet()
  const apps = [await fleet.start('a'), await fleet.start('b')]
  const { runtime } = fleet
  const overrides = { covey: { logLevel: 'silent', drainWaitMs: 0 } }
  await using caller = createApp({ name: 'caller', runtime, overrides, ownsProcess: false })
  await caller.start()
  const own = createClient(stats, { runtime, target: caller.address })
  const api = createClient(whoami, { runtime })
  const callee = async () => {
    const { callees } = await own.read()
    return callees.find(({ service }) => service === 'whoami')
  }
  assert.equal(await callee(), undefined)
  await api.name()
  const abort = new AbortController()
  const wishes = { instance: apps[1]!.instance.id, signal: abort.signal }
  const hanging = api.hang(undefined, wishes).catch(() => {})
  const pending = async () => (await callee())?.instances.map((instance) => instance.pending)
  await until(async () => String(await pending()) === '0,1', 'it is on its way')
  const { waiting, instances } = (await callee())!
  assert.equal(waiting, 0)
  assert.deepEqual(
    instances.map(({ id, state }) => [id, state]),
    apps.map(({ instance }) => [instance.id, 'open']),
  )
  abort.abort()
  await hanging
  const target = `tcp://127.0.0.1:${await freePort()}`
  await assert.rejects(createClient(whoami, { runtime, target }).name(), { code: 'UNAVAILABLE' })
  const { callees } = await own.read()
  const nobody = callees.flatMap((each) => each.instances).find(({ id }) => id === target)
  assert.match(nobody!.state, /ECONNREFUSED|connecting|nobody/)
})

test('an answer behind its deadline is dropped, and counted in the figures of the process', async () => {
  await using fleet = new LocalFleet()
  const a = await fleet.start('a')
  await using proxy = await startChaosProxy(a.address)
  await using runtime = createRuntime({ registry: 'memory:' })
  const overrides = { covey: { logLevel: 'silent' } }
  await using caller = createApp({ name: 'caller', runtime, overrides, ownsProcess: false })
  await caller.start()
  const own = createClient(stats, { runtime, target: caller.address })
  const api = createClient(whoami, { runtime, target: proxy.address, retry: { attempts: 1 } })
  assert.equal(await api.name(), 'a')
  assert.equal((await own.read()).lateAnswers, 0)
  proxy.set({ latencyMs: 400 }, 'down')
  await assert.rejects(api.name(undefined, { timeoutMs: 200 }), { code: 'DEADLINE_EXCEEDED' })
  await until(async () => (await own.read()).lateAnswers > 0, 'the answer came')
  proxy.clear()
  assert.equal(await api.name(), 'a')
  assert.equal((await own.read()).lateAnswers, 1)
})

test('servers that go one after the other under load fail no call', {
  timeout: 30_000,
}, async () => {
  // What an instance refuses because it stops is no matter of the budget.
  await using fleet = new LocalFleet({ retry: { budgetPercent: 0, minPerSecond: 0 } })
  const names = ['a', 'b', 'c']
  const apps: App[] = await Promise.all(names.map((name) => fleet.start(name)))
  const api = createClient(whoami, { runtime: fleet.runtime, balance: 'roundRobin' })
  const seen = new Set<string>()
  await until(async () => seen.add(await api.name()).size === 3, 'all are connected')
  let running = true
  let calls = 0
  const failures: unknown[] = []
  const callers = Array.from({ length: 16 }, async () => {
    while (running) {
      await api.name().catch((error: unknown) => failures.push(error))
      calls += 1
      // Calls of other turns in between, as from many callers.
      if (calls % 7 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
  })
  for (let round = 0; round < 12; round++) {
    const index = round % 3
    await apps[index]!.stop()
    apps[index] = await fleet.start(names[index]!)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  running = false
  await Promise.all(callers)
  assert.deepEqual(failures, [])
  assert.ok(calls > 1_000, `${calls} calls`)
})

test('a client that was held up reads its answers before it judges time and silence', async () => {
  await using server = await startChildServer()
  await using runtime = createRuntime({
    registry: new MemoryRegistry(),
    limits: { pingMs: 200, silenceMs: 600 },
  })
  const api = createClient(echo, { runtime, target: server.address })
  const pid = await api.who()
  // Sent, answered within a millisecond, and read when the deadline and the limit of silence are long over.
  const call = api.echo('x', { timeoutMs: 300 })
  await new Promise((resolve) => setTimeout(resolve, 20).unref())
  const late = api.echo('y', { timeoutMs: 300 })
  await new Promise((resolve) => setImmediate(resolve))
  holdUp(2_000)
  assert.equal(await late, 'y')
  assert.equal(await call, 'x')
  const hanging = api.hang(undefined, { timeoutMs: 5_000 })
  let lost: CoveyError | undefined
  hanging.catch((error: CoveyError) => {
    lost = error
  })
  for (const ms of [390, 700, 390]) {
    await new Promise((resolve) => setTimeout(resolve, 210))
    holdUp(ms)
  }
  await new Promise((resolve) => setTimeout(resolve, 50))
  assert.equal(lost, undefined, 'the connection stays')
  assert.equal(await api.who(), pid)
})

test('calls that were cancelled while they waited for a connection leave nothing either', async () => {
  await using runtime = createRuntime({ registry: neverAnswers() })
  const api = createClient(echo, { runtime })
  const timersBefore = timers()
  for (let round = 0; round < 100; round++) {
    const controller = new AbortController()
    const { signal } = controller
    const calls = Array.from({ length: 100 }, () => api.echo(1, { signal }))
    controller.abort()
    const results = await Promise.allSettled(calls)
    for (const result of results) {
      assert.equal(result.status === 'rejected' && result.reason.code, 'CANCELLED')
    }
  }
  assert.equal(runtime.channel('echo').waiting, 0)
  assert.equal(runtime.wheel.size, 0)
  await until(() => timers() <= timersBefore, 'timers are back where they were')
})

/** Timers of this process. */
function timers(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
}

function neverAnswers(): MemoryRegistry {
  const registry = new MemoryRegistry()
  registry.watch = async function* () {
    await new Promise(() => {})
    yield []
  }
  return registry
}
