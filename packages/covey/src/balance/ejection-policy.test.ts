import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EjectionPolicy, type EjectionSettings } from './ejection-policy.ts'

const usual = {
  enabled: true,
  thresholdPercent: 10,
  baseMs: 5_000,
  maxMs: 60_000,
  maxPercent: 50,
}

test('what is not said is as usual, or stays', () => {
  const policy = new EjectionPolicy()
  assert.deepEqual({ ...policy }, usual)
  policy.change({ enabled: false, baseMs: 100 })
  policy.change({ maxPercent: 0 })
  assert.deepEqual({ ...policy }, { ...usual, enabled: false, baseMs: 100, maxPercent: 0 })
})

test('values out of range are refused, with the range', () => {
  const wrong: [EjectionSettings, string][] = [
    [{ thresholdPercent: 0 }, 'ejection.thresholdPercent: expected 1 to 100, found 0'],
    [{ baseMs: 99 }, 'ejection.baseMs: expected 100 to 600000, found 99'],
    [{ maxMs: 1.5e9 }, 'ejection.maxMs: expected 100 to 3600000, found 1500000000'],
    [{ maxPercent: 51 }, 'ejection.maxPercent: expected 0 to 50, found 51'],
    [{ maxPercent: 1.5 }, 'ejection.maxPercent: expected 0 to 50, found 1.5'],
  ]
  for (const [settings, message] of wrong) {
    assert.throws(() => new EjectionPolicy(settings), { name: 'TypeError', message })
  }
})
