import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MethodRef } from '../call/method-ref.ts'
import { allowedMs } from './allowed-ms.ts'

const never = Number.POSITIVE_INFINITY
const limits = { maxDeadlineMs: 60_000 }
const method = { service: 'a', name: 'b', path: 'a.b', kind: 'unary', idempotent: false } as const

function allowed(askedMs: number, more: Partial<MethodRef> = {}) {
  return allowedMs(askedMs, { ...method, timeoutMs: 5_000, ...more }, 'wait', limits)
}

test('a unary call gets the time it asks for, up to the limit or what its contract says', () => {
  assert.equal(allowed(10), 10)
  assert.equal(allowed(60_000), 60_000)
  assert.equal(allowed(never), 60_000)
  assert.equal(allowed(70_000), 60_000)
  assert.equal(allowed(never, { timeoutMs: 3_600_000 }), 3_600_000)
  assert.equal(allowed(70_000, { timeoutMs: 3_600_000 }), 70_000)
  assert.equal(allowed(never, { timeoutMs: never }), never)
})

test('streams, and work that nobody waits for, may go on for ever', () => {
  for (const kind of ['serverStream', 'clientStream', 'duplex'] as const) {
    assert.equal(allowed(never, { kind }), never)
  }
  for (const mode of ['notify', 'submit'] as const) {
    assert.equal(allowedMs(never, method, mode, limits), never)
  }
})
