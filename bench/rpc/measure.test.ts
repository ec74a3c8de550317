import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { measure } from './measure.ts'
import type { Payload } from './payload.ts'
import type { BenchClient } from './subject.ts'

test('keeps exactly `concurrency` calls in flight and counts what was answered', async () => {
  let inFlight = 0
  let most = 0
  const client = scripted(async (payload) => {
    most = Math.max(most, ++inFlight)
    await sleep(5)
    inFlight--
    return payload
  })
  const figures = await measure(client, { payload: '100B', concurrency: 4, seconds: 0.2 })
  assert.equal(most, 4)
  assert.equal(inFlight, 0)
  assert.ok(figures.callsPerSecond > 100 && figures.callsPerSecond <= 4 * 250, `${figures}`)
  assert.ok(figures.p50us >= 4_000 && figures.p99us >= figures.p50us)
})

test('a wrong answer fails the measurement', async () => {
  const client = scripted(async (payload) => {
    await sleep(1)
    return { ...payload, tags: ['math'] }
  })
  const measuring = measure(client, { payload: '100B', concurrency: 2, seconds: 5 })
  await assert.rejects(measuring, /first: Error: wrong answer: .*"tags":\["math"\]/)
})

test('a subject that refuses everything ends the loop instead of spinning', async () => {
  const client = scripted(() => Promise.reject(new Error('no')))
  await assert.rejects(
    measure(client, { payload: '100B', concurrency: 8, seconds: 60 }),
    /first: Error: no/,
  )
})

test('a client that measures by itself is asked to', async () => {
  const own = { callsPerSecond: 5, p50us: 6, p99us: 7 }
  const load = { payload: 'list50', concurrency: 3, seconds: 0.1 } as const
  const client: BenchClient = {
    measure: async (asked) => {
      assert.deepEqual(asked, load)
      return own
    },
    close: async () => {},
  }
  assert.deepEqual(await measure(client, load), own)
})

test('a payload that a client has no method for is refused', async () => {
  const client = scripted(async (payload) => payload)
  const load = { payload: 'list50', concurrency: 1, seconds: 0.1 } as const
  await assert.rejects(measure(client, load), /no echoList/)
})

function scripted(echo: (payload: Payload) => Promise<Payload>): BenchClient {
  return { echo, close: async () => {} }
}
