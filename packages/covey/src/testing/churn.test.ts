import assert from 'node:assert/strict'
import { test } from 'node:test'
import { churn, middle, middleSlope } from './churn.ts'

const seconds = Number(process.env.SOAK_SECONDS ?? 10)
const seed = Number(process.env.COVEY_SEED ?? Date.now() % 2 ** 31)
const mib = 1024 * 1024

/** Rounds in which code is compiled and pools are filled. */
const warmUp = 3

test(`clients and servers that come and go for ${seconds} s leave nothing behind`, {
  timeout: (seconds + 300) * 1_000,
}, async () => {
  const rounds = await churn(seconds, seed)
  const hint = `COVEY_SEED=${seed}`
  assert.deepEqual(
    rounds.flatMap(({ problems }) => problems),
    [],
    hint,
  )
  const measured = rounds.slice(warmUp)
  const [first] = measured
  for (const { files, timers, resources } of measured) {
    assert.equal(timers, 0, hint)
    assert.deepEqual([files, resources], [first!.files, first!.resources], hint)
  }
  const heaps = measured.map(({ heapBytes }) => heapBytes)
  const resident = measured.map(({ rssBytes }) => rssBytes)
  const third = Math.max(1, Math.floor(heaps.length / 3))
  const grown = middle(heaps.slice(-third)) - middle(heaps.slice(0, third))
  const calls = rounds.reduce(
    (sum, { outcomes }) => sum + Object.values(outcomes).reduce((a, b) => a + b),
    0,
  )
  console.log(
    `${rounds.length} rounds, ${calls} calls; heap ${(heaps[0]! / mib).toFixed(2)} MiB, grown by ${(grown / mib).toFixed(2)}, ` +
      `${(middleSlope(heaps) / 1024).toFixed(2)} KiB a round; resident ${(middle(resident) / mib).toFixed(0)} MiB, ` +
      `${(middleSlope(resident) / 1024).toFixed(1)} KiB a round`,
  )
  // 2,000 calls a round: one that was forgotten would take 300 bytes and more.
  assert.ok(grown < 2 * mib, `${hint}: the heap has grown by ${(grown / mib).toFixed(2)} MiB`)
})

test('the middle slope is that of most values', () => {
  assert.equal(middleSlope([1, 3, 5, 7, 9]), 2)
  assert.equal(middleSlope([1, 3, 500, 7, 9]), 2)
  assert.equal(middleSlope([4]), 0)
})
