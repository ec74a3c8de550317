import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../testing/fake-clock.ts'
import { sleep } from './sleep.ts'

test('sleeps for the time', async () => {
  const clock = new FakeClock()
  let awake = false
  void sleep(100, undefined, clock).then(() => {
    awake = true
  })
  await clock.advance(99)
  assert.equal(awake, false)
  await clock.advance(1)
  assert.equal(awake, true)
})

test('an abort wakes it with the reason and leaves no timer', async () => {
  const clock = new FakeClock()
  const abort = new AbortController()
  const sleeping = sleep(100, abort.signal, clock)
  abort.abort(new Error('enough'))
  await assert.rejects(sleeping, /enough/)
  await assert.rejects(sleep(100, abort.signal, clock), /enough/)
  assert.equal(clock.waiting, 0)
})
