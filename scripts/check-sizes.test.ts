import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkSizes } from './check-sizes.ts'
import { createFixtureTree } from './fixture-tree.ts'

const lines = (count: number) => 'go()\n'.repeat(count)

function findingsOf(files: Record<string, string>) {
  using tree = createFixtureTree(files)
  const { problems, warnings } = checkSizes(tree.root)
  return { problems, warnings }
}

test('passes small files with small functions', () => {
  const text = `export function a() {\n${lines(38)}}\n${lines(260)}`
  assert.deepEqual(findingsOf({ 'a.ts': text }), { problems: [], warnings: [] })
})

test('limits files: a reason lifts the warning, nothing lifts the end', () => {
  const reason = '// size: one table, read as a whole\n'
  assert.deepEqual(
    findingsOf({ 'a.ts': lines(301), 'b.ts': lines(501), 'c.ts': reason + lines(400) }),
    {
      problems: ['b.ts has 501 lines (at most 500)'],
      warnings: ['a.ts has 301 lines (about 300)'],
    },
  )
  assert.equal(findingsOf({ 'c.ts': reason + lines(500) }).problems.length, 1)
})

test('limits functions of every kind, by name', () => {
  const long = `{\n${lines(80)}}`
  const found = findingsOf({
    'a.ts': `function plain() ${long}
const arrow = () => ${long}
class C { method() ${long} }
const o = { get() ${long} }
go(() => ${long})`,
    'b.ts': `function middling() {\n${lines(40)}}
// size: the request reads top to bottom
function named() ${long}`,
  })
  assert.deepEqual(found, {
    problems: [
      'a.ts:1 plain has 82 lines (at most 80)',
      'a.ts:83 arrow has 82 lines (at most 80)',
      'a.ts:165 method has 82 lines (at most 80)',
      'a.ts:247 get has 82 lines (at most 80)',
      'a.ts:329 a function has 82 lines (at most 80)',
    ],
    warnings: ['a.ts has 410 lines (about 300)', 'b.ts:1 middling has 42 lines (about 40)'],
  })
})

test('lets the callbacks of tests be long, but not their helpers', () => {
  const long = `{\n${lines(80)}}`
  const text = `test('x', () => ${long})\nfunction helper() ${long}\n`
  assert.deepEqual(findingsOf({ 'a.test.ts': text }).problems, [
    'a.test.ts:83 helper has 82 lines (at most 80)',
  ])
})

test('limits nesting; else-if and a callback inside do not add to it', () => {
  const deep = (depth: number) => 'if (a) {\n'.repeat(depth) + '}\n'.repeat(depth)
  assert.deepEqual(
    findingsOf({
      'a.ts': `function five() {\n${deep(5)}}
function four() {\n${deep(4)}}
function chain() { if (a) {} else if (b) {} else if (c) {} else if (d) {} else if (e) {} }
function outer() { if (a) { if (b) { if (c) go(() => { for (;;) { while (d) {} } }) } } }`,
    }),
    {
      problems: ['a.ts:1 five nests 5 deep (at most 4)'],
      warnings: ['a.ts:13 four nests 4 deep (about 3)'],
    },
  )
})

test('finds export *, empty names and indexes that nobody published', () => {
  const { problems } = findingsOf({
    'a.ts': `export * from 'x'\nexport * as y from 'y'`,
    'string-utils.ts': '',
    'helpers/a.ts': '',
    'types.ts': '',
    'check-types.ts': '',
    'packages/p/package.json':
      '{ "exports": { ".": "./src/index.ts", "./b": "./src/b/index.ts" } }',
    'packages/p/src/index.ts': '',
    'packages/p/src/b/index.ts': '',
    'packages/p/src/c/index.ts': '',
  })
  assert.deepEqual(problems, [
    'a.ts:1 export *: name what is exported',
    'helpers/a.ts is named "helpers": name it after the one concept inside',
    'string-utils.ts is named "string-utils": name it after the one concept inside',
    'types.ts is named "types": name it after the one concept inside',
    'packages/p/src/c/index.ts is the index of no published subpath: import the files themselves',
  ])
})

test('counts any', () => {
  assert.equal(findingsOf({ 'a.ts': 'const a: any = 1' }).problems.length, 0)
  const { problems } = findingsOf({ 'a.ts': 'const a: any = 1 as any' })
  assert.deepEqual(problems, ['any stands 2 times in 1 lines: keep it under 2 in 1,000'])
})
