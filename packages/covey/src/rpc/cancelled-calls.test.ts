import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cancelledCalls } from '../testing/cancelled-calls.ts'

// The soak makes a million.
const total = Number(process.env.COVEY_CANCELLED_CALLS ?? 60_000)

test(`${total} cancelled calls leave nothing behind`, { timeout: 3_600_000 }, async () => {
  const { outcomes, heapBytes, ...left } = await cancelledCalls(total)
  const each = Math.ceil(total / 3_000) * 1_000
  assert.deepEqual(Object.keys(outcomes).sort(), ['CANCELLED', 'DEADLINE_EXCEEDED', 'left'])
  for (const count of Object.values(outcomes))
    assert.ok(Math.abs(count - each) <= 1_000, `${count}`)
  assert.deepEqual(left, {
    pending: 0,
    running: 0,
    deadlines: 0,
    timers: 0,
    listeners: 0,
    resources: [],
  })
  // What does not depend on the number of calls: code that was optimized, memory of connections.
  assert.ok(heapBytes < 4 * 1024 * 1024, `${heapBytes} bytes more in use`)
})
