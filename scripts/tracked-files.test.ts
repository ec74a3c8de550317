import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { createFixtureTree } from './fixture-tree.ts'
import { trackedFiles } from './tracked-files.ts'

const files = { 'b.ts': '', 'a/c.ts': '', 'node_modules/x/index.js': '', 'a/dist/out.js': '' }

test('outside git: every file but build output, sorted', () => {
  using tree = createFixtureTree(files)
  assert.deepEqual(trackedFiles(tree.root), ['a/c.ts', 'b.ts'])
})

test('in a git work tree: tracked files and new ones, but none that is ignored or deleted', () => {
  using tree = createFixtureTree({ ...files, '.gitignore': 'node_modules\ndist\n', 'ä b.ts': '' })
  const git = (...args: string[]) => execFileSync('git', args, { cwd: tree.root, stdio: 'pipe' })
  git('init', '--quiet')
  git('add', '.')
  git('rm', '--quiet', '--force', 'a/c.ts')
  tree.write('new.ts', '')
  assert.deepEqual(trackedFiles(tree.root), ['.gitignore', 'b.ts', 'new.ts', 'ä b.ts'])
})
