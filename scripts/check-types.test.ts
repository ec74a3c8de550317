import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkTypes } from './check-types.ts'
import { createFixtureTree } from './fixture-tree.ts'

const tsconfig = '{ "compilerOptions": { "strict": true, "types": [] }, "include": ["*.ts"] }'
const wrong = 'export const a: { b: { c: string } } = { b: { c: 1 as number | string } }\n'

test('passes what is typed well', async () => {
  using tree = createFixtureTree({
    'tsconfig.json': tsconfig,
    'a.ts': 'export const a: number = 1\n',
  })
  assert.deepEqual((await checkTypes(tree.root)).problems, [])
})

test('finds a wrong type, one problem with its explanation', async () => {
  using tree = createFixtureTree({ 'tsconfig.json': tsconfig, 'a.ts': wrong })
  const { problems } = await checkTypes(tree.root)
  assert.equal(problems.length, 1)
  assert.match(problems[0] ?? '', /^a\.ts\(1,\d+\): error TS2322: [^\n]+\n +Type/)
})

test('looks at bench/ only where its peers are installed', async () => {
  using tree = createFixtureTree({
    'tsconfig.json': tsconfig,
    'a.ts': '',
    'bench/tsconfig.json': tsconfig,
    'bench/a.ts': wrong,
  })
  assert.equal((await checkTypes(tree.root)).problems.length, 0)
  tree.write('bench/node_modules/x/package.json', '{}')
  assert.match((await checkTypes(tree.root)).problems[0] ?? '', /^bench\/a\.ts/)
})
