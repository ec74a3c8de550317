import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { escapeControls } from './escape-controls.ts'

test('what moves the cursor or turns text is shown, not done', () => {
  assert.equal(escapeControls('\x1b[31mred\x1b[0m'), '\\x1b[31mred\\x1b[0m')
  assert.equal(escapeControls('a\rb\nc\x07\x9b2J'), 'a\\x0db\\x0ac\\x07\\x9b2J')
  assert.equal(escapeControls('user\u202egnp.exe\u2028next'), 'user\\u202egnp.exe\\u2028next')
})

test('ordinary text of any script stays as it is', () => {
  const text = 'tab\there, 你好 👩‍👩‍👧 שלום é'
  assert.equal(escapeControls(text), text)
})

test('no control character is ever left', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      assert.doesNotMatch(escapeControls(text), /[^\P{Cc}\t]/u)
    }),
  )
})
