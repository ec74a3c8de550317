import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { stripTypeScriptTypes } from 'node:module'
import { test } from 'node:test'

/** What a browser would load, from a file on: all that is imported when types are gone. */
async function reachable(
  start: URL,
  seen = new Map<string, string[]>(),
): Promise<Map<string, string[]>> {
  if (seen.has(start.href)) return seen
  const code = stripTypeScriptTypes(await readFile(start, 'utf8'))
  const targets = [...code.matchAll(/\bfrom\s*'([^']+)'|\bimport\s*\(?\s*'([^']+)'/g)].map(
    ([, from, bare]) => (from ?? bare)!,
  )
  seen.set(start.href, targets)
  for (const target of targets) {
    if (target.startsWith('.')) await reachable(new URL(target, start), seen)
  }
  return seen
}

test('what a browser loads has no module of Node and no package', async () => {
  const files = await reachable(new URL('./index.ts', import.meta.url))
  assert.ok(files.size > 20, `${files.size} files`)
  for (const [file, targets] of files) {
    for (const target of targets) assert.ok(target.startsWith('.'), `${file} imports ${target}`)
  }
})
