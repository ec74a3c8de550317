import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { measureOpen } from './open-loop.ts'
import type { Payload } from './payload.ts'
import type { BenchClient } from './subject.ts'

test('calls begin by the clock while earlier ones wait, and all are counted', async () => {
  let inFlight = 0
  let most = 0
  const client = scripted(async (payload) => {
    most = Math.max(most, ++inFlight)
    await sleep(100)
    inFlight--
    return payload
  })
  const figures = await measureOpen(client, { perSecond: 500, seconds: 0.2 })
  assert.equal(inFlight, 0)
  assert.ok(most >= 25, `${most} in flight`)
  assert.ok(figures.p50us >= 99_000, `${figures.p50us}`)
  // 100 calls, the last of which began at 0.2 s and took 0.1 s.
  assert.ok(figures.callsPerSecond <= 340, `${figures.callsPerSecond}`)
})

test('a wrong answer and a failed call fail the measurement', async () => {
  const wrong = scripted(async (payload) => ({ ...payload, id: 7 }))
  const load = { perSecond: 100, seconds: 0.05 }
  await assert.rejects(measureOpen(wrong, load), /5 errors after 5 calls, first: Error: wrong/)
  const failing = scripted(() => Promise.reject(new Error('no')))
  await assert.rejects(measureOpen(failing, load), /5 errors after 5 calls, first: Error: no/)
})

function scripted(echo: (payload: Payload) => Promise<Payload>): BenchClient {
  return { echo, close: async () => {} }
}
