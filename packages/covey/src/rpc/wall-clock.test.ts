import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createApp } from '../app/create-app.ts'
import { type Clock, systemClock } from '../base/clock.ts'
import { MemoryRegistry } from '../discovery/memory-registry.ts'
import type { CoveyError } from '../error/covey-error.ts'
import { ExecutionLog } from '../testing/execution-log.ts'
import { truth } from '../testing/fixtures/truth-contract.ts'
import { truthService } from '../testing/fixtures/truth-service.ts'
import { createClient } from './create-client.ts'
import { createRuntime } from './runtime.ts'

const hourMs = 3_600_000

/** A machine whose time of day is set again and again, for whoever asks it in whatever way. */
async function whileJumping(run: (clock: Clock) => Promise<void>): Promise<void> {
  const realNow = Date.now
  let offsetMs = 0
  Date.now = () => realNow() + offsetMs
  const jumps = setInterval(() => {
    offsetMs = offsetMs > 0 ? -hourMs : hourMs
  }, 7)
  try {
    await run({ ...systemClock, wallMs: () => Date.now() })
  } finally {
    clearInterval(jumps)
    Date.now = realNow
  }
}

test(
  'a time of day that jumps by an hour lets no deadline fire early or late',
  { timeout: 60_000 },
  () =>
    whileJumping(async (clock) => {
      const registry = new MemoryRegistry()
      await using server = createApp({
        name: 'truth',
        services: [truthService(new ExecutionLog(10))],
        runtime: createRuntime({ registry, clock }),
        overrides: { covey: { port: 0, logLevel: 'silent', drainWaitMs: 0 } },
        ownsProcess: false,
      })
      await server.start()
      await using runtime = createRuntime({ registry, clock })
      const api = createClient(truth, { runtime })
      // A call whose time is over while it waits for the first connection is told that there is none.
      await api.echo({ number: 1, waitMs: 0 })
      const late = await Promise.all(
        Array.from({ length: 40 }, async (_, index) => {
          const timeoutMs = 20 + index * 10
          const startMs = clock.monotonicMs()
          const wishes = { number: 1, waitMs: 5_000 }
          const code = await api
            .echo(wishes, { timeoutMs })
            .catch((error: CoveyError) => error.code)
          assert.equal(code, 'DEADLINE_EXCEEDED')
          return clock.monotonicMs() - startMs - timeoutMs
        }),
      )
      assert.ok(Math.min(...late) >= 0, `${Math.min(...late)} ms early`)
      assert.ok(Math.max(...late) < 300, `${Math.max(...late)} ms late`)
      for (let count = 0; count < 50; count++) {
        assert.deepEqual(await api.echo({ number: 2, waitMs: 5 }, { timeoutMs: 5_000 }), {
          number: 2,
        })
      }
      const ticket = await api.echo.submit({ number: 3, waitMs: 50 })
      assert.deepEqual(await ticket.result({ timeoutMs: 5_000 }), { number: 3 })
    }),
)
