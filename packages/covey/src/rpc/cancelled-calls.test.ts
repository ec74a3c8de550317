import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cancelledCalls } from '../testing/cancelled-calls.ts'

// The soak makes a million.
const total = Number(process.env.COVEY_CANCELLED_CALLS ?? 60_000)

test(`${total} cancelled calls leave nothing behind`, { timeout: 3_600_000 }, async () => {
  const { outcomes, heapBytes, ...left } = await cancelledCalls(total)
  assert.deepEqual(Object.keys(outcomes).sort(), ['CANCELLED', 'DEADLINE_EXCEEDED', 'left'])
  const counts = Object.values(outcomes)
  assert.ok(Math.min(...counts) >= total / 4, JSON.stringify(outcomes))
  assert.deepEqual(left, {
    pending: 0,
    running: 0,
    deadlines: 0,
    timers: 0,
    listeners: 0,
    resources: [],
  })
  // 50 bytes for each call.
  assert.ok(heapBytes < (total / 3) * 50, `${heapBytes} bytes more in use`)
})
