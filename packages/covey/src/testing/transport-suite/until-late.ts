import assert from 'node:assert/strict'
import { hasCode } from './transport-bench.ts'

/**
 * Makes calls that end by their deadline, with more time each until one has reached its handler: on a machine with other work a call
 * may use up its time before it is there.
 */
export async function untilLate(
  ask: (timeoutMs: number) => Promise<unknown>,
  reached: () => boolean,
): Promise<void> {
  for (let timeoutMs = 30; !reached(); timeoutMs *= 2) {
    await assert.rejects(ask(timeoutMs), hasCode('DEADLINE_EXCEEDED'))
  }
}
