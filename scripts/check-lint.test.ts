import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkLint } from './check-lint.ts'
import { createFixtureTree } from './fixture-tree.ts'

const biome = '{ "formatter": { "indentStyle": "space" } }\n'

test('passes what is formatted and linted', async () => {
  using tree = createFixtureTree({ 'biome.json': biome, 'a.ts': 'export const a = 1;\n' })
  const { problems, note } = await checkLint(tree.root)
  assert.deepEqual(problems, [])
  assert.equal(note, '2 files')
})

test('finds faults of form and of substance', async () => {
  using tree = createFixtureTree({
    'biome.json': biome,
    'a.ts': 'export  const a = 1\n',
    'b.ts': 'export const b = [...{}?.c];\n',
  })
  const { problems } = await checkLint(tree.root)
  assert.ok(problems.includes('a.ts is not formatted'), problems.join('\n'))
  assert.ok(
    problems.some((text) => /^b\.ts:1:\d+: lint\//.test(text)),
    problems.join('\n'),
  )
})

test('finds a configuration that cannot be read', async () => {
  using tree = createFixtureTree({ 'biome.json': '{ "formater": {} }\n' })
  assert.notEqual((await checkLint(tree.root)).problems.length, 0)
})
