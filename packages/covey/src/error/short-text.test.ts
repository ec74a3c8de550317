import assert from 'node:assert/strict'
import { test } from 'node:test'
import { shortText } from './short-text.ts'

test('text is cut between characters, and what is no character is replaced', () => {
  assert.equal(shortText('abc'), 'abc')
  assert.equal(shortText('abc', 3), 'abc')
  assert.equal(shortText('abcd', 3), 'abc')
  assert.equal(shortText('ab😀', 3), 'ab')
  assert.equal(shortText('ab😀', 4), 'ab😀')
  assert.equal(shortText('a\ud800b'), 'a\ufffdb')
  assert.equal(shortText('\udc00abc', 2), '\ufffda')
  assert.equal(shortText('', 0), '')
})
