import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { LatencyHistogram } from './latency-histogram.ts'

test('nothing recorded gives zeros', () => {
  const histogram = new LatencyHistogram()
  assert.deepEqual([histogram.total, histogram.meanMs, histogram.maxMs], [0, 0, 0])
  assert.equal(histogram.quantile(0.99), 0)
})

test('quantiles are those of the sorted list, to 3 %', () => {
  const latency = fc.double({ min: 0.002, max: 100_000, noNaN: true })
  fc.assert(
    fc.property(
      fc.array(latency, { minLength: 1, maxLength: 200 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (values, quantile) => {
        const histogram = new LatencyHistogram()
        for (const value of values) histogram.record(value)
        const sorted = values.toSorted((one, other) => one - other)
        const exact = sorted[Math.max(1, Math.ceil(quantile * sorted.length)) - 1]!
        const found = histogram.quantile(quantile)
        assert.ok(found >= exact * 0.999 && found <= exact * 1.03, `${found} for ${exact}`)
      },
    ),
  )
})

test('values outside of the range count at its ends', () => {
  const histogram = new LatencyHistogram()
  for (const value of [-1, 0, Number.NaN, 1e9]) histogram.record(value)
  assert.equal(histogram.total, 4)
  assert.equal(histogram.maxMs, 1e9)
  assert.ok(histogram.quantile(0.5) <= 0.0011)
})

test('counts between bounds add up to the total', () => {
  const histogram = new LatencyHistogram()
  for (let ms = 1; ms <= 100; ms++) histogram.record(ms)
  const counts = histogram.countsBetween([10, 50])
  assert.equal(counts.length, 3)
  assert.equal(counts[0]! + counts[1]! + counts[2]!, 100)
  assert.ok(Math.abs(counts[0]! - 10) <= 1 && Math.abs(counts[1]! - 40) <= 2)
  histogram.reset()
  assert.deepEqual(histogram.countsBetween([10]), [0, 0])
})
