import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dayHeading, listTime, sameDay, timeOfDay } from './times.ts'

/** A local time in March 2026. */
const at = (day: number, hour: number, minute = 0) => new Date(2026, 2, day, hour, minute).getTime()

const now = at(18, 15)

test('the time of day has two digits each', () => {
  assert.equal(timeOfDay(at(18, 9, 5)), '09:05')
})

test('a day ends at midnight, not after 24 hours', () => {
  assert.equal(sameDay(at(17, 23, 59), at(18, 0, 1)), false)
  assert.equal(sameDay(at(18, 0, 1), at(18, 23, 59)), true)
  assert.equal(dayHeading(at(17, 23, 59), at(18, 0, 1)), 'Yesterday')
})

test('days of a history are named as people name them', () => {
  assert.equal(dayHeading(at(18, 8), now), 'Today')
  assert.equal(dayHeading(at(17, 8), now), 'Yesterday')
  assert.equal(dayHeading(at(2, 8), now), 'Monday 2 March')
  assert.equal(dayHeading(new Date(2024, 11, 31).getTime(), now), '31 December 2024')
})

test('a list shows less the longer ago it is', () => {
  assert.equal(listTime(at(18, 8, 30), now), '08:30')
  assert.equal(listTime(at(17, 8), now), 'Yesterday')
  assert.equal(listTime(at(14, 8), now), 'Saturday')
  assert.equal(listTime(at(2, 8), now), '2 Mar')
  assert.equal(listTime(new Date(2024, 11, 31).getTime(), now), '31/12/2024')
})

test('a clock of the server that is ahead is still today', () => {
  assert.equal(listTime(now + 60_000, now), '15:01')
})
