import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CoveyError } from './covey-error.ts'
import { reasonOf } from './reason-of.ts'

test('an error says its message, and its class where that tells something', () => {
  assert.equal(reasonOf(new Error('no space left')), 'no space left')
  assert.equal(reasonOf(new CoveyError('NOT_FOUND', 'no user 7')), 'no user 7')
  assert.equal(reasonOf(new TypeError('x is not a function')), 'TypeError: x is not a function')
})

test('an error without a message still says something', () => {
  const refused = (port: number) => new Error(`connect ECONNREFUSED ::1:${port}`)
  const both = new AggregateError([refused(1), refused(2), refused(1)])
  assert.equal(reasonOf(both), 'connect ECONNREFUSED ::1:1; connect ECONNREFUSED ::1:2')
  assert.equal(reasonOf(Object.assign(new Error(''), { code: 'ECONNRESET' })), 'ECONNRESET')
  assert.equal(reasonOf(new RangeError()), 'RangeError')
  assert.equal(reasonOf(new AggregateError([])), 'AggregateError')
})

test('what is no error is shown as text', () => {
  assert.equal(reasonOf('late'), 'late')
  assert.equal(reasonOf(undefined), 'undefined')
})
