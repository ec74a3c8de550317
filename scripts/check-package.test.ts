import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkPackage } from './check-package.ts'
import { createFixtureTree } from './fixture-tree.ts'

function problemsOf(files: Record<string, unknown>): string[] {
  const texts = Object.entries(files).map(([path, content]) => {
    return [path, typeof content === 'string' ? content : JSON.stringify(content)]
  })
  using tree = createFixtureTree(Object.fromEntries(texts))
  return checkPackage(tree.root).problems
}

/** A manifest and the lock file that goes with it. */
function locked(manifest: object, packages: object = {}) {
  return {
    'package.json': manifest,
    'package-lock.json': { packages: { '': manifest, ...packages } },
  }
}

test('passes exact versions, ranges of peers, and a lock file that agrees', () => {
  const root = { workspaces: ['p'], devDependencies: { b: '1.2.3-rc.1', a: '0.1.0' } }
  const p = { dependencies: { c: 'npm:d@1.0.0' }, peerDependencies: { redis: '>=5' } }
  const lockedP = { 'node_modules/fsevents': { hasInstallScript: true, optional: true }, p }
  assert.deepEqual(problemsOf({ ...locked(root, lockedP), 'p/package.json': p }), [])
})

test('finds versions that are not exact', () => {
  const manifest = {
    dependencies: { a: '^1.2.3', b: '1.2' },
    optionalDependencies: { c: 'latest' },
  }
  assert.deepEqual(problemsOf({ 'package.json': manifest }), [
    'package.json a@^1.2.3 is not an exact version',
    'package.json b@1.2 is not an exact version',
    'package.json c@latest is not an exact version',
  ])
})

test('finds addresses, install scripts and missing platforms in a lock file', () => {
  const packages = {
    'node_modules/a': { resolved: 'https://example.org/a.tgz' },
    'node_modules/a/node_modules/b': { hasInstallScript: true },
    'node_modules/c': { optionalDependencies: { 'c-linux': '1.0.0', 'c-mac': '1.0.0' } },
    'node_modules/c-linux': {},
    'node_modules/p': { resolved: 'packages/p', link: true },
  }
  assert.deepEqual(problemsOf(locked({}, packages)), [
    'package-lock.json names the address that node_modules/a was loaded from',
    'package-lock.json b has an install script and no reason to',
    'package-lock.json node_modules/c wants c-mac, which has no entry: npm ci would refuse',
  ])
})

test('finds a lock file that lags behind a manifest', () => {
  const old = { workspaces: ['p'], dependencies: { a: '1.0.0' } }
  const files = { ...locked(old), 'p/package.json': { dependencies: { b: '1.0.0' } } }
  assert.deepEqual(problemsOf({ ...files, 'package.json': { ...old, dependencies: {} } }), [
    'package-lock.json does not agree with package.json: run npm install',
    'package-lock.json does not agree with p/package.json: run npm install',
  ])
})

test('keeps the peers of the benchmarks in bench/', () => {
  const bench = { dependencies: { moleculer: '0.15.0' } }
  const other = { devDependencies: { moleculer: '0.15.0' } }
  assert.deepEqual(problemsOf({ 'bench/package.json': bench, 'package.json': other }), [
    'package.json depends on moleculer, a peer of the benchmarks: only bench/ may',
  ])
})

test('finds paths of one machine and registry hosts in any text', () => {
  const path = ['', 'home', 'me', 'project'].join('/')
  const host = ['registry', 'npmjs', 'org'].join('.')
  assert.deepEqual(
    problemsOf({
      'a.md': `see ${path}\nand https://example.org${path}`,
      'b.yaml': `from: https://${host}/x`,
      '.npmrc': 'fund=false\nregistry=https://example.org',
      'c.png': path,
    }),
    [
      '.npmrc:2 names a registry setting',
      'a.md:1 names an absolute path of one machine',
      'b.yaml:1 names a registry host',
    ],
  )
})
