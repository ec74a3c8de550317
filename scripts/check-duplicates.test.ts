import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkDuplicates } from './check-duplicates.ts'
import { createFixtureTree } from './fixture-tree.ts'

/** So many different lines of code. */
function code(count: number, name = 'step'): string {
  return Array.from({ length: count }, (_, index) => `${name}(${index})\n`).join('')
}

function problemsOf(files: Record<string, string>): string[] {
  using tree = createFixtureTree(files)
  return checkDuplicates(tree.root).problems
}

test('finds a run of 12 lines in two files, whatever stands between and around it', () => {
  const other = code(14).replaceAll('\n', '\n\n  // why\n').replaceAll('step(', 'step(  ')
  const spaced = code(14).replaceAll('\n', '\n\n    // why\n  }\n')
  assert.deepEqual(problemsOf({ 'a.ts': `first()\n${code(14)}`, 'b.ts': spaced, 'c.ts': other }), [
    'b.ts:1-53 repeats a.ts:2-15: 14 lines of code',
  ])
})

test('finds a run that stands twice in one file, not one that overlaps itself', () => {
  assert.deepEqual(problemsOf({ 'a.ts': `${code(12)}between()\n${code(12)}` }), [
    'a.ts:14-25 repeats a.ts:1-12: 12 lines of code',
  ])
  assert.deepEqual(problemsOf({ 'a.ts': 'same()\n'.repeat(20) }), [])
})

test('passes short runs, imports, tests and benchmarks', () => {
  const imports = Array.from({ length: 20 }, (_, index) => `import './${index}.ts'\n`).join('')
  assert.deepEqual(
    problemsOf({
      'a.ts': imports + code(11),
      'b.ts': imports + code(11),
      'c.ts': code(20, 'other'),
      'c.test.ts': code(20, 'other'),
      'bench/c.ts': code(20, 'other'),
    }),
    [],
  )
})
