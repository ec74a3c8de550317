import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findImportCycles, shortestWay } from './import-cycles.ts'
import { createImportGraph } from './import-graph.ts'

function graphOf(texts: Record<string, string>) {
  const files = Object.entries(texts).map(([path, text]) => {
    return { path, text, lines: text.split('\n') }
  })
  return createImportGraph(files)
}

test('every way to name a module is an import', () => {
  const graph = graphOf({
    'a/x.tsx': `import '../b.ts'
import type { C } from './c.ts'
export { d } from './d.ts'
export * from 'e'
type F = import('./f.ts').F
const g = () => <p>{import('./g.ts')}</p>`,
  })
  const found = graph.get('a/x.tsx')?.map(({ line, kind, target, specifier }) => {
    return [line, kind, target ?? specifier]
  })
  assert.deepEqual(found, [
    [1, 'value', 'b.ts'],
    [2, 'type', 'a/c.ts'],
    [3, 'value', 'a/d.ts'],
    [4, 'value', 'e'],
    [5, 'type', 'a/f.ts'],
    [6, 'dynamic', 'a/g.ts'],
  ])
})

test('a cycle is found over type imports too, once, with its way', () => {
  const graph = graphOf({
    'a.ts': `import './b.ts'`,
    'b.ts': `import type { C } from './c.ts'`,
    'c.ts': `import('./b.ts')`,
    'd.ts': `import './a.ts'`,
  })
  assert.deepEqual(findImportCycles(graph), [['b.ts', 'c.ts', 'b.ts']])
})

test('a diamond is no cycle', () => {
  const graph = graphOf({
    'a.ts': `import './b.ts'\nimport './c.ts'`,
    'b.ts': `import './d.ts'`,
    'c.ts': `import './d.ts'`,
    'd.ts': '',
  })
  assert.deepEqual(findImportCycles(graph), [])
  assert.deepEqual(shortestWay(graph, 'a.ts', 'd.ts'), ['a.ts', 'b.ts', 'd.ts'])
  assert.equal(shortestWay(graph, 'd.ts', 'a.ts'), undefined)
})
