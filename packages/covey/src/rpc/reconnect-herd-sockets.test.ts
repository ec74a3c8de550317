import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { type Clock, systemClock } from '../base/clock.ts'
import { startChildScript } from '../testing/child-script.ts'
import { accepts } from '../testing/fixtures/accepts-contract.ts'
import { freePort } from '../testing/free-port.ts'
import { seededRandom } from '../testing/random.ts'
import { until } from '../testing/until.ts'
import { defaultLimits } from '../transport/limits.ts'
import { tcpTransport } from '../transport/tcp/tcp-transport.ts'
import { createClient } from './create-client.ts'
import { createRuntime } from './runtime.ts'
import { Subchannel } from './subchannel.ts'

// Over real sockets; `reconnect-herd.test.ts` has the exact figures.

const clients = 1_000
const bucketMs = 100

/** So many times as fast as the clock of the machine, so that the longest delays are reached within seconds. */
const speed = 5

const fastClock: Clock = {
  wallMs: systemClock.wallMs,
  monotonicMs: () => systemClock.monotonicMs() * speed,
  after: (ms, run) => systemClock.after(ms / speed, run),
  every: (ms, run) => systemClock.every(ms / speed, run),
}

function peak(times: readonly number[]): number {
  const buckets = new Map<number, number>()
  for (const ms of times) {
    const bucket = Math.floor(ms / bucketMs)
    buckets.set(bucket, (buckets.get(bucket) ?? 0) + 1)
  }
  return Math.max(...buckets.values())
}

test('a thousand clients whose server process is killed come back to the next one spread over time', {
  timeout: 120_000,
}, async (t) => {
  const port = await freePort()
  const start = () => startChildScript('accepts-server.ts', [String(port)])
  const address = `tcp://127.0.0.1:${port}`
  const random = seededRandom(1)
  const refusals: string[] = []
  const open = () =>
    new Subchannel({
      clock: fastClock,
      random,
      wanted: () => true,
      serving: () => true,
      onChange() {},
      onStalled() {},
      async connect(signal, events) {
        try {
          const options = { limits: defaultLimits, clock: systemClock, signal, ...events }
          return await tcpTransport.connect(address, options)
        } catch (error) {
          refusals.push((error as Error).message)
          throw error
        }
      },
    })
  const all: Subchannel[] = []
  const connected = () => all.filter(({ ready }) => ready).length
  t.after(() => Promise.all(all.map((each) => each.close())))

  await using killed = await start()
  for (let count = 0; count < clients; count += 100) {
    for (let one = 0; one < 100; one++) all.push(open())
    await until(() => connected() === all.length, `${all.length} are connected`, 20_000)
  }
  killed.signal('SIGKILL')
  await killed.gone
  // 30 seconds of the clients: their delays have grown to 0 to 10 s.
  await wait(30_000 / speed)
  refusals.length = 0
  await using next = await start()
  await until(() => connected() === clients, 'all are back', 60_000)

  await using runtime = createRuntime({ registry: 'memory:' })
  const times = await createClient(accepts, { runtime, target: next.said }).times()
  const back = times.slice(0, clients)
  // A client tries every 5 s: as many of them in 100 ms are the fair share.
  const fair = clients / (5_000 / speed / bucketMs)
  t.diagnostic(`peak ${peak(back)} in ${bucketMs} ms, fair ${fair}, all within ${back.at(-1)} ms`)
  // Twice, and once more for a machine on which the server stands still for a moment.
  assert.ok(peak(back) <= 3 * fair, `${peak(back)} in ${bucketMs} ms`)
  assert.ok(times.length <= clients + 50, `${times.length} connections for ${clients} clients`)
  const turnedAway = refusals.filter((message) => /shaking hands/.test(message))
  assert.deepEqual(turnedAway, [])
})
