import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CoveyError } from '../error/covey-error.ts'
import { FakeClock } from '../testing/fake-clock.ts'
import { seededRandom } from '../testing/random.ts'
import { ScriptedConnection } from '../testing/scripted-connection.ts'
import { Subchannel } from './subchannel.ts'

const clients = 1_000
const bucketMs = 100

/** A thousand clients whose server is lost, counted by the time of their tries. */
async function herd(seed: number, outageMs: number) {
  const clock = new FakeClock()
  const random = seededRandom(seed)
  const tries: number[] = []
  const opened: ScriptedConnection[] = []
  let up = true
  const all = Array.from({ length: clients }, () => {
    return new Subchannel({
      clock,
      random,
      wanted: () => true,
      serving: () => true,
      onChange() {},
      onStalled() {},
      async connect() {
        tries.push(clock.monotonicMs())
        if (!up) throw new CoveyError('UNAVAILABLE', 'ECONNREFUSED')
        const connection = new ScriptedConnection()
        opened.push(connection)
        return connection
      },
    })
  })
  await clock.advance(0)
  tries.length = 0
  up = false
  for (const connection of opened.splice(0))
    connection.lose(new CoveyError('CONNECTION_LOST', 'reset'))
  await clock.advance(outageMs)
  up = true
  const backMs = clock.monotonicMs()
  while (opened.length < clients) await clock.advance(bucketMs)
  const tookMs = clock.monotonicMs() - backMs
  await Promise.all(all.map((subchannel) => subchannel.close()))
  return { tries, backMs, tookMs }
}

function peak(tries: readonly number[], fromMs: number, toMs: number): number {
  const buckets = new Map<number, number>()
  for (const atMs of tries) {
    if (atMs < fromMs || atMs >= toMs) continue
    const bucket = Math.floor(atMs / bucketMs)
    buckets.set(bucket, (buckets.get(bucket) ?? 0) + 1)
  }
  return Math.max(0, ...buckets.values())
}

test('a thousand clients that lose their server come back spread over time, not in a wave', async () => {
  for (const seed of [1, 2]) {
    const { tries, backMs, tookMs } = await herd(seed, 60_000)
    // With the longest delay reached, 0 to 10 s, a client tries every 5 s: 20 of them in 100 ms are the fair share.
    const fair = clients / (5_000 / bucketMs)
    const settledMs = 30_000
    assert.ok(peak(tries, settledMs, backMs) <= 2 * fair, `peak ${peak(tries, settledMs, backMs)}`)
    assert.ok(peak(tries, backMs, backMs + tookMs) <= 2 * fair)
    assert.ok(tookMs <= 10_100, `all are back after ${tookMs} ms`)
    // What comes first cannot be spread over more than the first delay; each delay after it halves what comes together.
    assert.ok(peak(tries, 0, 100) <= 1_400, `${peak(tries, 0, 100)}`)
    assert.ok(peak(tries, 200, 1_000) <= 600, `${peak(tries, 200, 1_000)}`)
    assert.ok(peak(tries, 1_000, 10_000) <= 200, `${peak(tries, 1_000, 10_000)}`)
  }
})
