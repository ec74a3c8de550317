import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFixtureTree } from './fixture-tree.ts'
import { isTest, lineAt, readSources } from './source-file.ts'

test('reads the sources alone, and their lines without one too many', () => {
  using tree = createFixtureTree({ 'a.ts': 'one\ntwo\n', 'b.tsx': '', 'c.d.ts': '', 'd.md': '' })
  const files = readSources(tree.root)
  assert.deepEqual(
    files.map(({ path }) => path),
    ['a.ts', 'b.tsx'],
  )
  assert.deepEqual(files[0]?.lines, ['one', 'two'])
})

test('the line of a position', () => {
  const file = { path: 'a.ts', text: 'ab\ncd\n\nef', lines: [] }
  const lines = [0, 2, 3, 5, 6, 7, 8].map((offset) => lineAt(file, offset))
  assert.deepEqual(lines, [1, 1, 2, 2, 3, 4, 4])
})

test('what counts as a test', () => {
  const tests = ['a/b.test.ts', 'a/b.soak.ts', 'packages/covey/src/testing/clock.ts']
  assert.deepEqual(tests.map(isTest), [true, true, true])
  assert.deepEqual(['a/test.ts', 'a/b.ts'].map(isTest), [false, false])
})
