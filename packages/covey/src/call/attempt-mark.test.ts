import assert from 'node:assert/strict'
import { test } from 'node:test'
import { attemptIn, withAttempt } from './attempt-mark.ts'
import { noMetadata, toMetadata } from './metadata.ts'

test('a first attempt carries no mark, a later one its number beside what it carries otherwise', () => {
  assert.equal(withAttempt(noMetadata, 1), noMetadata)
  const own = toMetadata({ tenant: 'blue' })
  const marked = withAttempt(own, 3)
  assert.deepEqual(Object.fromEntries(marked), { tenant: 'blue', 'covey-attempt': '3' })
  assert.deepEqual([attemptIn(own), attemptIn(marked)], [1, 3])
  assert.equal(attemptIn(withAttempt(marked, 2)), 2)
})

test('nonsense in place of a number counts as none', () => {
  for (const text of ['', '0', '-1', '1.5', 'two', '2 ', '1e3', '12345678']) {
    assert.equal(attemptIn(toMetadata({ 'covey-attempt': text })), 1, text)
  }
})
