import assert from 'node:assert/strict'
import { test } from 'node:test'
import { p2c } from '../balance/p2c.ts'
import { channelBench } from '../testing/channel-bench.ts'
import { seededRandom } from '../testing/random.ts'

// One of three instances is slow, and nothing says so. Time is that of the test, so that a busy machine changes nothing.

/** Callers who ask three instances, each of which takes some milliseconds for an answer. */
async function threeInstances(callers: number) {
  const bench = channelBench({ balancer: p2c(seededRandom(7)) })
  const { clock, list, at, ask } = bench
  const ids = ['a', 'b', 'c'] as const
  const takesMs = { a: 2, b: 2, c: 2 }
  await list(...ids)
  for (const id of ids) {
    at(id).answer = () => {
      at(id).pending += 1
      return new Promise((resolve) => {
        clock.after(takesMs[id], () => {
          at(id).pending -= 1
          resolve(id)
        })
      })
    }
  }
  let counts = { a: 0, b: 0, c: 0 }
  for (let caller = 0; caller < callers; caller++) {
    void (async () => {
      for (;;) {
        const id = (await ask()) as 'a' | 'b' | 'c'
        counts[id] += 1
      }
    })()
  }
  /** The share of calls that instance `a` answers in the next so many milliseconds. */
  const share = async (ms: number) => {
    counts = { a: 0, b: 0, c: 0 }
    await clock.advance(ms)
    return counts.a / (counts.a + counts.b + counts.c)
  }
  return { takesMs, share }
}

for (const callers of [1, 8, 64]) {
  test(`an instance that becomes 50 times slower gets under 5 % of the calls within 2 seconds (${callers} callers)`, async () => {
    const { takesMs, share } = await threeInstances(callers)
    await share(200)
    const healthy = await share(300)
    assert.ok(healthy > 0.2, `${healthy} of the calls while all were well`)
    takesMs.a = 100
    await share(1_500)
    const sick = await share(500)
    assert.ok(sick < 0.05, `${sick} of the calls`)
  })
}

test('it is tried again while it is slow, and gets its share back when it is well', async () => {
  const { takesMs, share } = await threeInstances(1)
  takesMs.a = 100
  await share(2_000)
  const sick = await share(60_000)
  assert.ok(sick > 0 && sick < 0.05, `${sick} of the calls while it was slow`)
  takesMs.a = 2
  await share(90_000)
  const well = await share(5_000)
  assert.ok(well > 0.15, `${well} of the calls when it was well again`)
})
