import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkLayers } from './check-layers.ts'
import { createFixtureTree } from './fixture-tree.ts'

/** Files of the framework's source, by their path in it. */
function problemsOf(files: Record<string, string>): string[] {
  const entries = Object.entries(files).map(([path, text]) => [`packages/covey/src/${path}`, text])
  using tree = createFixtureTree(Object.fromEntries(entries))
  return checkLayers(tree.root).problems.map((text) => text.replaceAll('packages/covey/src/', ''))
}

test('passes what points down, the leaves, the driver table and tests', () => {
  const problems = problemsOf({
    'index.ts': `export { a } from './rpc/a.ts'`,
    'rpc/a.ts': `import '../call/b.ts'\nimport './c.ts'\nexport const a = 1`,
    'rpc/c.ts': '',
    'call/b.ts': `import fs from 'node:fs'`,
    'call/b.test.ts': `import '../rpc/a.ts'\nimport '../testing/kit.ts'`,
    'testing/kit.ts': `import '../rpc/a.ts'`,
    'app/driver-table.ts': `export const table = { redis: () => import('../drivers/redis/cache.ts') }`,
    'drivers/redis/cache.ts': `import 'ioredis'\nimport '../../call/b.ts'\nimport './lock.ts'`,
    'drivers/redis/lock.ts': '',
    'client/index.ts': `import type { X } from '../observe/log.ts'\nimport 'msgpackr'`,
    'observe/log.ts': `import 'pino'`,
  })
  assert.deepEqual(problems, [])
})

test('finds imports up and sideways, of types as well', () => {
  const problems = problemsOf({
    'call/a.ts': `import type { B } from '../rpc/b.ts'\nimport '../codec/c.ts'`,
    'rpc/b.ts': `type T = import('../index.ts').T`,
    'codec/c.ts': '',
    'index.ts': '',
  })
  assert.deepEqual(problems, [
    'call/a.ts:1 imports up: call/ is layer 1, rpc/ is layer 4',
    'call/a.ts:2 imports sideways: call/ is layer 1, codec/ is layer 1',
    'rpc/b.ts:1 imports the top, src/index.ts',
  ])
})

test('finds a folder that the table does not know', () => {
  const [problem] = problemsOf({ 'plugins/a.ts': '' })
  assert.match(problem ?? '', /^plugins\/a.ts is in no folder of the layer table/)
})

test('finds drivers and the test kit where they must not be', () => {
  const problems = problemsOf({
    'app/driver-table.ts': `import '../drivers/redis/cache.ts'`,
    'cli/main.ts': `import('../drivers/redis/cache.ts')`,
    'drivers/etcd/registry.ts': `import '../redis/cache.ts'\nimport 'ioredis'`,
    'drivers/redis/cache.ts': `import 'ioredis'`,
    'index.ts': `export { kit } from './testing/kit.ts'`,
    'testing/kit.ts': '',
    'cache/shared.ts': `import 'ioredis'`,
  })
  assert.equal(problems.length, 6)
  assert.match(problems[0] ?? '', /^app\/driver-table.ts:1 imports drivers\/redis\/cache.ts: only/)
  assert.match(problems[1] ?? '', /^cli\/main.ts:1 imports drivers/)
  assert.match(problems[2] ?? '', /^drivers\/etcd\/registry.ts:1 imports drivers/)
  assert.match(problems[3] ?? '', /^index.ts:1 imports the test kit/)
  assert.ok(problems.includes('cache/shared.ts:1 imports ioredis, which belongs to drivers/redis/'))
})

test('finds Node and vendors in what a browser loads, and tells the way there', () => {
  const problems = problemsOf({
    'client/index.ts': `export { a } from '../rpc/a.ts'`,
    'rpc/a.ts': `import '../call/b.ts'\nimport 'undici'`,
    'call/b.ts': `import { readFileSync } from 'node:fs'`,
    'call/unused.ts': `import 'node:net'`,
  })
  assert.deepEqual(problems, [
    'call/b.ts:1 imports node:fs, a module of Node, and a browser loads it: ' +
      'client/index.ts → rpc/a.ts → call/b.ts',
    'rpc/a.ts:2 imports undici, no package for browsers, and a browser loads it: ' +
      'client/index.ts → rpc/a.ts',
  ])
})

test('finds import cycles everywhere', () => {
  using tree = createFixtureTree({
    'apps/a.ts': `import './b.ts'`,
    'apps/b.ts': `import type { A } from './a.ts'`,
  })
  assert.deepEqual(checkLayers(tree.root).problems, [
    'apps/a.ts import cycle: apps/a.ts → apps/b.ts → apps/a.ts',
  ])
})
