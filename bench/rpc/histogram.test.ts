import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Histogram } from './histogram.ts'

test('quantiles are exact to the microsecond', () => {
  const histogram = new Histogram()
  for (let us = 1; us <= 1000; us++) histogram.record(us)
  assert.equal(histogram.total, 1000)
  assert.equal(histogram.quantile(0.5), 500)
  assert.equal(histogram.quantile(0.99), 990)
  assert.equal(histogram.quantile(1), 1000)
})

test('rounds to the nearest microsecond', () => {
  const histogram = new Histogram()
  histogram.record(41.6)
  assert.equal(histogram.quantile(0.5), 42)
})

test('more than a second counts as one second', () => {
  const histogram = new Histogram()
  histogram.record(5_000_000)
  assert.equal(histogram.quantile(0.5), 1_000_000)
})

test('an empty histogram answers 0', () => {
  assert.equal(new Histogram().quantile(0.99), 0)
})
