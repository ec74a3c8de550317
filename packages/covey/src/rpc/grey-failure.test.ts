import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { p2c } from '../balance/p2c.ts'
import { PeakEwma } from '../base/peak-ewma.ts'
import { MemoryRegistry } from '../discovery/memory-registry.ts'
import { ExecutionLog } from '../testing/execution-log.ts'
import { FakeClock } from '../testing/fake-clock.ts'
import { truth } from '../testing/fixtures/truth-contract.ts'
import { seededRandom } from '../testing/random.ts'
import { TruthFleet } from '../testing/truth-fleet.ts'
import { createClient } from './create-client.ts'
import { createRuntime } from './runtime.ts'

// One of three instances is slow, and nothing says so.

test('an instance that becomes 50 times slower gets under 5 % of the calls within 2 seconds', {
  timeout: 60_000,
}, async () => {
  const log = new ExecutionLog(1)
  const registry = new MemoryRegistry()
  await using fleet = await TruthFleet.start({ registry, log, size: 3, seed: 1, limits: {} })
  await using runtime = createRuntime({ registry, random: seededRandom(7) })
  const api = createClient(truth, { runtime })
  let running = true
  const callers = Array.from({ length: 12 }, async () => {
    while (running) await api.echo({ number: 0 })
  })
  const [grey, ...others] = fleet.proxies.map((proxy) => () => proxy.passedBytes.up)
  const share = async (ms: number) => {
    const bytes = () => [grey!(), others.reduce((sum, other) => sum + other(), 0)] as const
    const [greyBefore, othersBefore] = bytes()
    await wait(ms)
    const [greyAfter, othersAfter] = bytes()
    const greyBytes = greyAfter - greyBefore
    return greyBytes / (greyBytes + othersAfter - othersBefore)
  }
  await api.echo({ number: 0 })
  const healthy = await share(1_000)
  assert.ok(healthy > 0.15, `${healthy} of the calls while all were well`)
  fleet.proxies[0]!.set({ latencyMs: 50 }, 'down')
  await wait(1_500)
  const sick = await share(1_000)
  assert.ok(sick < 0.05, `${sick} of the calls`)
  running = false
  await Promise.all(callers)
})

test('it is tried again later, and gets its share back when it is well', async () => {
  const clock = new FakeClock()
  const pick = p2c(seededRandom(7))
  const times = [50, 1, 1]
  const averages = times.map(() => new PeakEwma(clock))
  const candidates = averages.map((average) => ({
    pending: 0,
    weight: 1,
    get latencyMs() {
      return average.valueMs
    },
  }))
  const ask = async (seconds: number) => {
    let slow = 0
    for (let call = 0; call < seconds * 20; call++) {
      const index = candidates.indexOf(pick(candidates))
      averages[index]!.add(times[index]!)
      if (index === 0) slow += 1
      await clock.advance(50)
    }
    return slow / (seconds * 20)
  }
  await ask(1)
  const sick = await ask(120)
  assert.ok(sick > 0 && sick < 0.05, `${sick} of the calls while it was slow`)
  times[0] = 1
  await ask(120)
  const well = await ask(30)
  assert.ok(well > 0.2, `${well} of the calls when it was well again`)
})
