import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { systemClock } from '../../base/clock.ts'
import { MemoryRegistry } from '../../discovery/memory-registry.ts'
import type { CoveyError } from '../../error/covey-error.ts'
import { createClient } from '../../rpc/create-client.ts'
import { createRuntime } from '../../rpc/runtime.ts'
import { startChaosProxy } from '../../testing/chaos-proxy.ts'
import { startChildScript } from '../../testing/child-script.ts'
import { startChildServer } from '../../testing/child-server.ts'
import { ExecutionLog } from '../../testing/execution-log.ts'
import { echo } from '../../testing/fixtures/echo-contract.ts'
import { echoService } from '../../testing/fixtures/echo-service.ts'
import { truth } from '../../testing/fixtures/truth-contract.ts'
import { clientOver, dialTcp, serveTcp } from '../../testing/tcp-line.ts'
import { TruthFleet } from '../../testing/truth-fleet.ts'
import { until } from '../../testing/until.ts'

// Peers and networks that stand still, and this process itself.

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const nowMs = () => systemClock.monotonicMs()

function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'OK',
    (error: CoveyError) => error.code,
  )
}

/** Holds this process up. */
function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

/** Memory that is in use, in the heap and outside. */
function heldBytes(): number {
  collectGarbage()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

test('half-open connections are let go of within 3.5 seconds, on both sides', async () => {
  await using listener = await serveTcp(echoService)
  await using proxy = await startChaosProxy(listener.address)
  const connections = await Promise.all(Array.from({ length: 50 }, () => dialTcp(proxy.address)))
  const hanging = connections.map((connection) => codeOf(clientOver(echo, connection).hang()))
  await clientOver(echo, connections[0]!).echo('all have arrived')
  assert.equal(listener.connections, 50)
  proxy.set({ swallow: true })
  const startMs = nowMs()
  assert.deepEqual(new Set(await Promise.all(hanging)), new Set(['CONNECTION_LOST']))
  await until(() => listener.connections === 0, 'the server let go of all')
  // Silence of 3 s, looked at every second from a moment before; half a second is for a busy machine.
  const tookMs = nowMs() - startMs
  assert.ok(tookMs > 2_000 && tookMs < 4_500, `${tookMs} ms`)
  assert.ok(connections.every(({ state }) => state === 'closed'))
})

test('a client that is stopped with 1,000 streams open harms nobody, and is cut off', async () => {
  const limits = { maxQueuedBytes: 64 * 1024, slowReaderMs: 1_000, pingMs: 200, silenceMs: 60_000 }
  await using listener = await serveTcp(echoService, limits)
  await using good = await dialTcp(listener.address)
  const api = clientOver(echo, good)
  await using client = await startChildScript('stream-client.ts', [listener.address, '1000'])
  assert.equal(listener.connections, 2)
  for (let n = 0; n < 200; n++) await api.echo(n)
  const before = heldBytes()
  client.signal('SIGSTOP')
  // While it stands still; it is there for a second at the least.
  let calls = 0
  let held = 0
  while (listener.connections > 1) {
    assert.equal(await api.echo(calls), calls)
    calls += 1
    if (calls % 50 === 0) held = Math.max(held, heldBytes())
    await new Promise((resolve) => setImmediate(resolve))
  }
  assert.ok(held > 0, `${calls} calls of others meanwhile`)
  for (let n = 0; n < 100; n++) assert.equal(await api.echo(n), n)
  assert.ok(held - before < 4 * 1024 * 1024, `${held - before} bytes`)
})

test('a server that stands still lets deadlines fire on time', async () => {
  await using server = await startChildServer()
  await using connection = await dialTcp(server.address)
  const api = clientOver(echo, connection)
  await api.echo('connected')
  server.signal('SIGSTOP')
  for (const timeoutMs of [50, 200, 500]) {
    const startMs = nowMs()
    assert.equal(await codeOf(api.echo('late', { timeoutMs })), 'DEADLINE_EXCEEDED')
    const lateMs = nowMs() - startMs - timeoutMs
    // 20 ms on a machine with nothing else to do.
    assert.ok(lateMs >= 0 && lateMs < 150, `${lateMs} ms late`)
  }
})

test('what was given up while the server stood still is not begun when it wakes', async () => {
  const log = new ExecutionLog(1_000)
  const registry = new MemoryRegistry()
  await using fleet = await TruthFleet.start({ registry, log, size: 1, seed: 1, limits: {} })
  await using runtime = createRuntime({ registry })
  const api = createClient(truth, { runtime })
  await api.echo({ number: 0 })
  fleet.block(0, 800)
  // Long enough for the server to hear of it; it stands still then.
  await wait(100)
  const given = Array.from({ length: 250 }, (_, index) =>
    codeOf(api.echo({ number: 1 + index }, { timeoutMs: 200 })),
  )
  const noted = codeOf(api.echo.notify({ number: 900 }, { signal: AbortSignal.timeout(200) }))
  const patient = [300, 301].map((number) => api.echo({ number }))
  assert.deepEqual(new Set(await Promise.all(given)), new Set(['DEADLINE_EXCEEDED']))
  assert.equal(await noted, 'CANCELLED')
  // Those whose callers still wait are served, and nobody is blamed.
  assert.deepEqual(await Promise.all(patient), [{ number: 300 }, { number: 301 }])
  assert.deepEqual(await api.echo({ number: 302 }), { number: 302 })
  const ran = Array.from({ length: 1_000 }, (_, number) => number).filter((n) => log.runs(n) > 0)
  assert.deepEqual(ran, [0, 300, 301, 302])
  assert.equal(fleet.proxies[0]!.accepted, 1)
})

test('a client that stood still reads what came before it judges', async () => {
  await using server = await startChildServer()
  let stalls = 0
  const limits = { pingMs: 50, silenceMs: 150, stallMs: 100 }
  const events = { onStalled: () => void stalls++ }
  await using connection = await dialTcp(server.address, limits, events)
  const api = clientOver(echo, connection)
  await api.echo('connected')
  const call = api.echo('answered meanwhile', { timeoutMs: 10_000 })
  await new Promise((resolve) => setImmediate(resolve))
  block(600)
  assert.equal(await call, 'answered meanwhile')
  assert.deepEqual([connection.state, stalls], ['open', 0])
})
