import assert from 'node:assert/strict'
import { test } from 'node:test'
import { durationText } from './duration-text.ts'

test('a duration is told in the two largest units that say something', () => {
  const [second, minute, hour] = [1_000, 60_000, 3_600_000]
  const cases: [number, string][] = [
    [0, '0 ms'],
    [0.6, '1 ms'],
    [850, '850 ms'],
    [second, '1 s'],
    [59 * second + 999, '59 s'],
    [3 * minute + 5 * second, '3 min 5 s'],
    [2 * hour + 10 * minute, '2 h 10 min'],
    [24 * hour, '1 d 0 h'],
    [99 * hour, '4 d 3 h'],
  ]
  for (const [ms, text] of cases) assert.equal(durationText(ms), text)
})
