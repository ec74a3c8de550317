import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../../testing/fake-clock.ts'
import { LoginLimiter } from './login-limiter.ts'
import { Sessions } from './sessions.ts'

test('a session lives as long as it is used, and half an hour more', async () => {
  const clock = new FakeClock()
  const sessions = new Sessions(clock)
  const id = sessions.open()
  assert.equal(Buffer.from(id, 'base64url').length, 32)
  for (let round = 0; round < 5; round++) {
    await clock.advance(29 * 60_000)
    assert.equal(sessions.touch(id), true)
  }
  await clock.advance(31 * 60_000)
  assert.equal(sessions.touch(id), false)
  assert.equal(sessions.touch(id), false)
})

test('unknown and closed sessions are none', () => {
  const sessions = new Sessions(new FakeClock())
  const [one, two] = [sessions.open(), sessions.open()]
  assert.notEqual(one, two)
  assert.equal(sessions.touch(''), false)
  assert.equal(sessions.touch('x'), false)
  sessions.close(one)
  sessions.close(one)
  assert.equal(sessions.touch(one), false)
  assert.equal(sessions.touch(two), true)
})

test('of very many sessions those used last stay', () => {
  const sessions = new Sessions(new FakeClock())
  const first = sessions.open()
  const second = sessions.open()
  for (let count = 0; count < 98; count++) sessions.open()
  assert.equal(sessions.touch(first), true)
  sessions.open()
  assert.equal(sessions.touch(second), false)
  assert.equal(sessions.touch(first), true)
})

test('five failures a minute are allowed', async () => {
  const clock = new FakeClock()
  const limiter = new LoginLimiter(clock)
  for (let count = 0; count < 5; count++) {
    assert.equal(limiter.waitMs(), 0)
    limiter.fail()
    await clock.advance(1_000)
  }
  assert.equal(limiter.waitMs(), 55_000)
  await clock.advance(54_999)
  assert.equal(limiter.waitMs(), 1)
  await clock.advance(1)
  assert.equal(limiter.waitMs(), 0)
  limiter.fail()
  assert.equal(limiter.waitMs(), 1_000)
})
