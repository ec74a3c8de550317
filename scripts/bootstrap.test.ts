import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isInstalled } from './bootstrap.mjs'
import { repositoryRoot } from './findings.ts'
import { createFixtureTree } from './fixture-tree.ts'
import { runCommand } from './run-command.ts'

const wanted = {
  '': { name: 'root' },
  'packages/p': { name: 'p' },
  'node_modules/a': { version: '1.0.0', integrity: 'x' },
  'node_modules/for-mac': { version: '1.0.0', integrity: 'y', optional: true },
}
const present = { 'node_modules/a': wanted['node_modules/a'] }

function isInstalledWith(installed: object | undefined): boolean {
  using tree = createFixtureTree({ 'package-lock.json': JSON.stringify({ packages: wanted }) })
  const hidden = 'node_modules/.package-lock.json'
  if (installed) tree.write(hidden, JSON.stringify({ packages: installed }))
  return isInstalled(tree.root)
}

test('an install is up to date when it holds what the lock file names', () => {
  assert.equal(isInstalledWith(present), true)
  assert.equal(isInstalledWith(undefined), false)
  assert.equal(isInstalledWith({}), false)
  const other = { 'node_modules/a': { version: '1.0.0', integrity: 'changed' } }
  assert.equal(isInstalledWith(other), false)
})

test('hands over to the script with its arguments, on the Node of node_modules', async () => {
  using tree = createFixtureTree({
    'show.ts': `const text: string = process.argv.slice(2).join()
console.log(text, import.meta.main, process.execPath)`,
  })
  const args = ['scripts/bootstrap.mjs', `${tree.root}/show.ts`, 'a', '--b']
  const { code, output } = await runCommand(process.execPath, args, repositoryRoot)
  assert.equal(code, 0, output)
  assert.match(output, /^a,--b true .*node\n$/)
})

test('passes the exit code on', async () => {
  using tree = createFixtureTree({ 'end.ts': 'process.exitCode = 7\n' })
  const args = ['scripts/bootstrap.mjs', `${tree.root}/end.ts`]
  assert.equal((await runCommand(process.execPath, args, repositoryRoot)).code, 7)
})
