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
  if (seconds >= longSeconds) assertLevel(heaps, resident, seconds, hint)
})

/** A run in which V8 has long compiled what it compiles. */
const longSeconds = 600

/**
 * Holds a long run, without its first third, to half a MiB of heap an hour and 3 % of resident memory. Noise: V8 goes on to
 * optimize and to remember shapes, which takes 0.2 MiB in the last six minutes of eight (measured on a machine with other work,
 * 386 rounds), so twice that is free. A leak of 300 bytes for each of 2,000 calls a round would be a hundred MiB.
 */
function assertLevel(
  heaps: readonly number[],
  resident: readonly number[],
  seconds: number,
  hint: string,
): void {
  const third = Math.floor(heaps.length / 3)
  const later = heaps.slice(third)
  const grown = (middleSlope(later) * later.length) / mib
  const hours = ((2 / 3) * seconds) / 3_600
  assert.ok(grown < 0.5 * hours + 0.4, `${hint}: ${grown.toFixed(2)} MiB more heap`)
  const ratio = middle(resident.slice(-third)) / middle(resident.slice(third, 2 * third))
  assert.ok(ratio < 1.03, `${hint}: resident memory times ${ratio.toFixed(3)}`)
}

test('the middle slope is that of most values', () => {
  assert.equal(middleSlope([1, 3, 5, 7, 9]), 2)
  assert.equal(middleSlope([1, 3, 500, 7, 9]), 2)
  assert.equal(middleSlope([4]), 0)
})
