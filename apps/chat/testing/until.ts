import assert from 'node:assert/strict'
import type { FakeClock } from 'covey/testing'

/**
 * Lets time go by, in steps of 10 ms of the fake clock, until `check` holds.
 * @throws AssertionError after `limitMs` of its time, with what `check` says
 */
export async function until(
  clock: FakeClock,
  check: () => boolean | Promise<boolean>,
  limitMs = 30_000,
): Promise<void> {
  for (let passedMs = 0; passedMs < limitMs; passedMs += 10) {
    if (await check()) return
    await clock.advance(10)
  }
  assert.fail(`not within ${limitMs} ms: ${check}`)
}
