import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { repositoryRoot } from './findings.ts'
import { createFixtureTree } from './fixture-tree.ts'

const limit = join(repositoryRoot, 'scripts/limit-test-file.ts')

function runTests(files: Record<string, string>, limitMs: string) {
  using tree = createFixtureTree(files)
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const args = ['--import', limit, '--test', ...Object.keys(files)]
  return spawnSync(process.execPath, args, {
    cwd: tree.root,
    env: { ...env, TEST_FILE_LIMIT_MS: limitMs },
    encoding: 'utf8',
  })
}

test('fails a file that a forgotten timer keeps alive, and says so', () => {
  const leak = `require('node:test').test('passes', () => {})\nsetInterval(() => {}, 1000)`
  const { status, stdout } = runTests({ 'leak.test.cjs': leak }, '300')
  assert.equal(status, 1)
  assert.match(stdout, /ran for more than 0.3 s; it is kept alive by: Timeout/)
})

test('leaves a file alone that ends by itself, and the runner', () => {
  const slow = `require('node:test').test('passes', () => new Promise((end) => setTimeout(end, 50)))`
  const files = { 'a.test.cjs': slow, 'b.test.cjs': slow, 'c.test.cjs': slow, 'd.test.cjs': slow }
  assert.equal(runTests(files, '5000').status, 0)
})
