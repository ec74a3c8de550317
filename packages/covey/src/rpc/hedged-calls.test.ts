import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { createApp } from '../app/create-app.ts'
import type { Peer } from '../call/peer.ts'
import { defineContract } from '../contract/define-contract.ts'
import { defineService } from '../contract/define-service.ts'
import { serverStream, unary } from '../contract/method.ts'
import { MemoryRegistry } from '../discovery/memory-registry.ts'
import type { CoveyError } from '../error/covey-error.ts'
import { ExecutionLog } from '../testing/execution-log.ts'
import { TruthLedger } from '../testing/truth-ledger.ts'
import { until } from '../testing/until.ts'
import type { Limits } from '../transport/limits.ts'
import { createClient } from './create-client.ts'
import { createRuntime } from './runtime.ts'

// The loser of a hedged call is cancelled, and what is not idempotent is never hedged.

const jobs = defineContract('jobs', {
  get: unary({ input: z.number(), output: z.number(), idempotent: true }),
  add: unary({ input: z.number(), output: z.number() }),
  watch: serverStream({ output: z.number() }),
})

/** Two instances: `quick` answers, `slow` never before its call is cancelled, or after `slowMs`. */
async function fleet(log: ExecutionLog, slowMs = 60_000, limits: Partial<Limits> = {}) {
  const registry = new MemoryRegistry()
  const open: AsyncDisposable[] = []
  const seen = { slow: 0, quick: 0, cancelled: [] as string[], connections: new Set<string>() }
  for (const name of ['quick', 'slow'] as const) {
    const run = async (
      number: number,
      call: { attempt: number; signal: AbortSignal; peer: Peer },
    ) => {
      log.note(number, call.attempt)
      seen[name] += 1
      if (name === 'quick') return number
      seen.connections.add(call.peer.connectionId)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, slowMs)
        call.signal.addEventListener('abort', () => {
          clearTimeout(timer)
          seen.cancelled.push((call.signal.reason as CoveyError).message)
          resolve()
        })
      })
      return number
    }
    const runtime = createRuntime({ registry, limits })
    const app = createApp({
      name,
      services: [defineService(jobs, { get: run, add: run, async *watch() {} })],
      runtime,
      ownsProcess: false,
      overrides: { covey: { logLevel: 'silent', drainWaitMs: 0 } },
    })
    open.unshift(app, runtime)
    await app.start()
  }
  const runtime = createRuntime({ registry, retry: { budgetPercent: 100 } })
  open.unshift(runtime)
  const connected = createClient(jobs, { runtime, balance: 'roundRobin' })
  return {
    runtime,
    seen,
    connected,
    async [Symbol.asyncDispose]() {
      for (const opened of open) await opened[Symbol.asyncDispose]()
      await registry.close()
    },
  }
}

test('a slow instance costs a hedged call its delay, and what runs there is cancelled', async () => {
  const calls = 50
  const log = new ExecutionLog(calls)
  using ledger = new TruthLedger(log)
  await using servers = await fleet(log)
  const { runtime, seen } = servers
  const hedge = { afterMs: 20 }
  const api = createClient(jobs, { runtime, balance: 'roundRobin', hedge })
  for (let number = 0; number < calls; number++) {
    const run = async () => {
      const answer = await api.get(number)
      return answer === number ? undefined : `the answer of ${answer}`
    }
    await ledger.witness({ number, timeoutMs: 5_000, maxRuns: 2, run })
  }
  assert.deepEqual(ledger.outcomes(), { OK: calls })
  assert.deepEqual(ledger.problems(), [])
  assert.equal(seen.quick, calls)
  assert.ok(seen.slow >= calls / 2 - 1, `${seen.slow} calls at the slow one`)
  await until(() => seen.cancelled.length === seen.slow, 'all losers are cancelled')
  assert.deepEqual(new Set(seen.cancelled), new Set(['another attempt has answered']))
  assert.equal(runtime.channel('jobs').pending, 0)
  assert.equal(runtime.wheel.size, 0)
})

test('a client that gives up nearly all of its calls to the slower instance loses none of the others', async () => {
  const calls = 400
  const log = new ExecutionLog(2 * calls)
  const maxEarlyCancels = 20
  await using servers = await fleet(log, 30, { maxEarlyCancels })
  const { runtime, seen, connected: plain } = servers
  const api = createClient(jobs, { runtime, balance: 'roundRobin', hedge: { afterMs: 0 } })
  // May not run twice, so they are lost where their connection is; few of them, or they would earn what the others waste.
  const others: Promise<number>[] = []
  for (let number = 0; number < calls; number += 10) {
    others.push(plain.add(calls + number, { timeoutMs: 10_000 }))
    const hedged = Array.from({ length: 10 }, (_, more) => api.get(number + more))
    await Promise.all(hedged)
  }
  assert.equal((await Promise.all(others)).length, calls / 10)
  assert.equal(seen.connections.size, 1, 'its connection was never closed')
  assert.ok(seen.cancelled.length >= maxEarlyCancels, `${seen.cancelled.length} were given up`)
  assert.ok(seen.slow < calls, `${seen.slow} of ${calls} were begun at the slow one`)
})

test('what is not idempotent has one effect, whatever its client asks for', async () => {
  const calls = 200
  const log = new ExecutionLog(calls)
  using ledger = new TruthLedger(log)
  await using servers = await fleet(log, 30)
  const hedge = { afterMs: 0, attempts: 5 }
  const api = createClient(jobs, { runtime: servers.runtime, balance: 'roundRobin', hedge })
  await Promise.all(
    Array.from({ length: calls }, (_, number) => {
      const run = async () => void (await api.add(number))
      return ledger.witness({ number, timeoutMs: 5_000, run })
    }),
  )
  assert.deepEqual([ledger.outcomes(), ledger.repeated], [{ OK: calls }, 0])
  assert.deepEqual(ledger.problems(), [])
})

test('one that is asked to be hedged and may not be is refused before it is sent', async () => {
  const log = new ExecutionLog(2)
  await using servers = await fleet(log)
  const { runtime, connected: api } = servers
  const hedge = { afterMs: 5 }
  const refused = { name: 'TypeError', message: /^jobs\.add: hedge is for unary methods with/ }
  await assert.rejects(api.add(1, { hedge }), refused)
  await assert.rejects(api.get.notify(1, { hedge }), {
    name: 'TypeError',
    message: 'jobs.get: notify cannot be hedged',
  })
  await assert.rejects(async () => {
    for await (const _ of api.watch(undefined, { hedge }));
  }, /^TypeError: jobs\.watch: hedge is for unary methods/)
  assert.throws(() => unary({ hedge }), /^TypeError: unary method: hedge is for unary methods/)
  const none = defineContract('none', { add: unary(), watch: serverStream({ idempotent: true }) })
  assert.throws(() => createClient(none, { runtime, hedge }), {
    message: /^the client of none: hedge is for unary methods/,
  })
  assert.equal(log.runs(1), 0)
})
