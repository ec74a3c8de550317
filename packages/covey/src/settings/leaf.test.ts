import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Schema } from '../base/schema.ts'
import { integer, oneOf, text, texts } from './leaf.ts'

function check(schema: Schema, value: unknown): unknown {
  const result = schema['~standard'].validate(value)
  if (result instanceof Promise) throw new Error('a leaf answers at once')
  return result.issues === undefined ? result.value : result.issues[0]?.message
}

test('text takes every text but the empty one', () => {
  assert.equal(check(text(), 'a'), 'a')
  for (const wrong of ['', 5, null, undefined, ['a']]) {
    assert.equal(check(text(), wrong), 'expected a text that is not empty')
  }
})

test('integer takes whole numbers within its bounds', () => {
  const port = integer({ min: 0, max: 65_535 })
  for (const right of [0, 80, 65_535]) assert.equal(check(port, right), right)
  for (const wrong of [-1, 65_536, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '80', null]) {
    assert.equal(check(port, wrong), 'expected a whole number from 0 to 65535')
  }
})

test('oneOf takes only its words', () => {
  const level = oneOf(['info', 'warn'])
  assert.equal(check(level, 'warn'), 'warn')
  for (const wrong of ['Warn', '', 1, null]) {
    assert.equal(check(level, wrong), 'expected one of info, warn')
  }
})

test('a default stands in for what is not set, and for nothing else', () => {
  const port = integer({ min: 0, max: 9 }).default(7)
  assert.equal(check(port, undefined), 7)
  assert.equal(check(port, 3), 3)
  assert.equal(check(port, null), 'expected a whole number from 0 to 9')
})

test('texts takes lists of texts', () => {
  for (const right of [[], ['a'], ['a', 'b']]) assert.deepEqual(check(texts(), right), right)
  for (const wrong of ['a', [''], [1], ['a', null], {}, null]) {
    assert.equal(check(texts(), wrong), 'expected a list of texts')
  }
})

test('what is optional may be left out, and is nothing then', () => {
  assert.equal(check(text().optional(), undefined), undefined)
  assert.equal(check(text().optional(), 'a'), 'a')
  assert.equal(check(text().optional(), ''), 'expected a text that is not empty')
})
