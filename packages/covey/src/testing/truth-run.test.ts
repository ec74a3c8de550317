import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type TruthRunOptions, truthRun } from './truth-run.ts'

// The soak makes a million.
const calls = Number(process.env.COVEY_LEDGER_CALLS ?? 100_000)
const seed = Number(process.env.COVEY_SEED ?? Date.now() % 2 ** 31)

function truthTest(what: string, options: Omit<TruthRunOptions, 'seed'>): void {
  test(`${options.calls} calls ${what}`, { timeout: 3_600_000 }, async () => {
    const run = await truthRun({ ...options, seed })
    const { outcomes, repeated, troubles } = run
    console.log(`${run.seconds.toFixed(1)} s, COVEY_SEED=${seed}`, outcomes, { repeated }, troubles)
    assert.deepEqual(run.problems, [], `COVEY_SEED=${seed}`)
    // A run without trouble, or one in which nothing works, proves nothing.
    const { OK = 0, CONNECTION_LOST = 0, UNAVAILABLE = 0, DEADLINE_EXCEEDED = 0 } = outcomes
    assert.ok(OK > options.calls / 3, `${OK} answers`)
    assert.ok(CONNECTION_LOST > 0 && UNAVAILABLE > 0 && DEADLINE_EXCEEDED > 0)
    assert.ok(repeated > 0, 'no idempotent call ran twice')
  })
}

truthTest('under chaos: every answer is its own, none runs twice, none is untrue, none hangs', {
  calls,
  callsPerTrouble: 2_000,
})

truthTest('on links that also damage, repeat and reorder bytes, sealed with crc32c', {
  calls: calls / 5,
  callsPerTrouble: 500,
  damage: true,
  links: { integrity: 'crc32c' },
})

truthTest('on such links, sealed with a key, and compressed', {
  calls: calls / 5,
  callsPerTrouble: 500,
  damage: true,
  links: {
    keys: [{ id: 'k', secret: 'no secret: a key for tests, of 32 characters and more' }],
    compressAboveBytes: 4_096,
  },
})
