import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RetryPolicy } from './retry-policy.ts'

test('what nobody says is as documented, and changes leave the rest alone', () => {
  const policy = new RetryPolicy({ attempts: 5, baseMs: undefined })
  const usual = { attempts: 3, baseMs: 50, maxMs: 1_000, budgetPercent: 10, minPerSecond: 10 }
  assert.deepEqual({ ...policy }, { ...usual, attempts: 5 })
  policy.change({ maxMs: 0, attempts: undefined })
  assert.deepEqual({ ...policy }, { ...usual, attempts: 5, maxMs: 0 })
})

test('values that make no sense are refused by name', () => {
  const wrong = [
    { attempts: 0 },
    { attempts: 11 },
    { attempts: 1.5 },
    { baseMs: -1 },
    { maxMs: Number.NaN },
    { budgetPercent: 101 },
    { minPerSecond: Number.POSITIVE_INFINITY },
  ]
  for (const settings of wrong) {
    const [name] = Object.keys(settings)
    assert.throws(() => new RetryPolicy(settings), {
      name: 'TypeError',
      message: new RegExp(`^retry\\.${name}: expected `),
    })
  }
})
