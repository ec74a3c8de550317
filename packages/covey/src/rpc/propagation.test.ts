import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { createApp } from '../app/create-app.ts'
import { currentCall } from '../call/call-storage.ts'
import type { Client } from '../contract/client.ts'
import { defineContract } from '../contract/define-contract.ts'
import { defineService } from '../contract/define-service.ts'
import { clientStream, unary } from '../contract/method.ts'
import { until } from '../testing/until.ts'
import { createClient } from './create-client.ts'
import { createRuntime } from './runtime.ts'

// What belongs to a call reaches the last of four services, each behind a socket of its own.

const facts = z.object({
  traceId: z.string(),
  spanId: z.string(),
  leftMs: z.number(),
  baggage: z.record(z.string(), z.string()),
  attempt: z.number(),
})

const hop = defineContract('hop', {
  /** Answers with what each service saw, the last one first. */
  facts: unary({ input: z.object({ hops: z.number() }), output: z.array(facts), timeoutMs: 5_000 }),
  hang: unary({ input: z.object({ hops: z.number() }), timeoutMs: 60_000 }),
  /** Passes its inputs on, to the last one, which counts them. */
  relay: clientStream({ input: z.object({ hops: z.number() }), output: z.string() }),
})

const lastHop = 3

/** Four services; each calls the next one. */
async function chain() {
  const seen = { hanging: false, abortedMs: 0, reason: '' }
  const open: AsyncDisposable[] = []
  let next: Client<typeof hop> | undefined
  for (let place = lastHop; place >= 0; place--) {
    const runtime = createRuntime({ registry: 'memory:' })
    const app = createApp({
      name: `hop-${place}`,
      services: [hopService(next, place, seen)],
      runtime,
      ownsProcess: false,
      overrides: { covey: { port: 0, logLevel: 'silent', drainWaitMs: 0 } },
    })
    open.unshift(app, runtime)
    await app.start()
    const caller = createRuntime({ registry: 'memory:' })
    open.unshift(caller)
    next = createClient(hop, { target: app.address!, runtime: caller })
  }
  return {
    api: next!,
    seen,
    async [Symbol.asyncDispose]() {
      for (const opened of open) await opened[Symbol.asyncDispose]()
    },
  }
}

function hopService(
  next: Client<typeof hop> | undefined,
  place: number,
  seen: { hanging: boolean; abortedMs: number; reason: string },
) {
  return defineService(hop, {
    async facts({ hops }, call) {
      const { traceId, spanId } = call.trace
      const baggage = Object.fromEntries(call.baggage)
      const own = { traceId, spanId, leftMs: call.remainingMs(), baggage, attempt: call.attempt }
      if (next === undefined) return [own]
      // Each adds an entry, and takes a while.
      await new Promise((resolve) => setTimeout(resolve, 20))
      const rest = await next.facts({ hops: hops - 1 }, { baggage: { [`hop-${place}`]: 'seen' } })
      return [...rest, own]
    },
    async hang(_, call) {
      if (next !== undefined) return next.hang({ hops: 0 })
      seen.hanging = true
      await new Promise<void>((resolve) => call.onCancel(() => resolve()))
      seen.abortedMs = performance.now()
      seen.reason = call.cancelled!.code
    },
    async relay(inputs, call) {
      if (next !== undefined) {
        return next.relay(
          (async function* () {
            for await (const { hops } of inputs) {
              // The source of a nested call runs within the call that it was made in.
              assert.equal(currentCall()?.trace.spanId, call.trace.spanId)
              yield { hops: hops + 1 }
            }
          })(),
        )
      }
      const hops: number[] = []
      for await (const input of inputs) hops.push(input.hops)
      return hops.join()
    },
  })
}

test('trace and baggage reach the leaf, and the time only shrinks', async () => {
  await using fleet = await chain()
  const baggage = { tenant: 'acme' }
  const seen = await fleet.api.facts({ hops: lastHop }, { timeoutMs: 2_000, baggage })
  assert.equal(seen.length, 4)
  assert.equal(new Set(seen.map(({ traceId }) => traceId)).size, 1)
  assert.equal(new Set(seen.map(({ spanId }) => spanId)).size, 4)
  const added = { 'hop-0': 'seen', 'hop-1': 'seen', 'hop-2': 'seen' }
  assert.deepEqual(seen[0]?.baggage, { ...baggage, ...added })
  assert.deepEqual(seen[3]?.baggage, baggage)
  const left = seen.map(({ leftMs }) => leftMs)
  assert.ok(left[3]! <= 2_001, `the first has ${left[3]} ms`)
  // Each took at least its 20 ms (timers may be a millisecond early), and the wire rounds up.
  for (const [index, ms] of left.slice(1).entries()) assert.ok(ms - left[index]! >= 17, `${left}`)
})

test('what is called for a repetition says so, down to the leaf', async () => {
  await using fleet = await chain()
  const attempts = async (metadata: Record<string, string>) => {
    const seen = await fleet.api.facts({ hops: lastHop }, { metadata })
    return seen.map(({ attempt }) => attempt)
  }
  assert.deepEqual(await attempts({}), [1, 1, 1, 1])
  assert.deepEqual(await attempts({ 'covey-attempt': '2' }), [2, 2, 2, 2])
})

test('cancelling reaches the leaf within 50 ms, and so does a deadline', async () => {
  await using fleet = await chain()
  const { api, seen } = fleet
  const abort = new AbortController()
  const call = api.hang({ hops: lastHop }, { signal: abort.signal }).catch(() => {})
  await until(() => seen.hanging, 'the leaf runs')
  const startMs = performance.now()
  abort.abort()
  await until(() => seen.abortedMs > 0, 'the leaf was told')
  await call
  const tookMs = seen.abortedMs - startMs
  assert.ok(tookMs < 50, `${tookMs} ms`)
  assert.equal(seen.reason, 'CANCELLED')
  Object.assign(seen, { hanging: false, abortedMs: 0 })
  await assert.rejects(api.hang({ hops: lastHop }, { timeoutMs: 200 }), {
    code: 'DEADLINE_EXCEEDED',
  })
  await until(() => seen.abortedMs > 0, 'the leaf was told')
  assert.equal(seen.reason, 'DEADLINE_EXCEEDED')
})

test('a stream of inputs is passed on from service to service', async () => {
  await using fleet = await chain()
  assert.equal(await fleet.api.relay([{ hops: 0 }, { hops: 10 }]), '3,13')
})

test('baggage over its limit is refused, and says so', async () => {
  await using fleet = await chain()
  const baggage = { big: 'x'.repeat(10_000) }
  await assert.rejects(fleet.api.facts({ hops: 0 }, { baggage }), {
    code: 'MESSAGE_TOO_LARGE',
    message: /^baggage of 10006 bytes; the limit is 8192/,
  })
})
