import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { until } from '../testing/until.ts'
import { endLeftovers, forgetChild, recordChild } from './child-records.ts'
import { identifyProcess } from './process-identity.ts'
import { spawnChild } from './spawn-child.ts'

function emptyFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'covey-children-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return folder
}

async function startChild(t: TestContext, folder: string, script: string) {
  const entry = join(folder, 'child.mjs')
  writeFileSync(entry, `${script}; setInterval(() => {}, 1000); console.log('up')`)
  const lines: string[] = []
  const child = spawnChild({
    entry,
    args: [],
    cwd: folder,
    env: { PATH: process.env.PATH },
    onLine: (_, text) => lines.push(text),
  })
  t.after(() => child.kill())
  await until(() => lines.includes('up'), 'the child is up')
  return child
}

test('what a dead supervisor left is ended, by force where it must be', async (t) => {
  const folder = emptyFolder(t)
  const polite = await startChild(t, folder, '')
  const deaf = await startChild(t, folder, "process.on('SIGTERM', () => {})")
  recordChild(folder, 'user-0', polite.pid!)
  recordChild(folder, 'chat-0', deaf.pid!)
  const ended = await endLeftovers(folder, { timeoutMs: 300 })
  assert.deepEqual(ended.sort(), ['chat-0', 'user-0'])
  assert.deepEqual(await polite.exited, { code: null, signal: 'SIGTERM' })
  assert.deepEqual(await deaf.exited, { code: null, signal: 'SIGKILL' })
  assert.deepEqual(readdirSync(folder), ['child.mjs'])
})

test('processes that only have the number of one are left alone', async (t) => {
  const folder = emptyFolder(t)
  const other = await startChild(t, folder, '')
  const identity = identifyProcess(other.pid!)
  writeFileSync(join(folder, 'user-0.pid'), JSON.stringify({ ...identity, startTime: 'earlier' }))
  writeFileSync(join(folder, 'chat-0.pid'), 'broken')
  assert.deepEqual(await endLeftovers(folder, { timeoutMs: 300 }), [])
  assert.deepEqual(identifyProcess(other.pid!), identity)
  assert.deepEqual(readdirSync(folder), ['child.mjs'])
})

test('a note is taken away when the process has ended; an abort leaves all as it is', async (t) => {
  const folder = emptyFolder(t)
  const deaf = await startChild(t, folder, "process.on('SIGTERM', () => {})")
  recordChild(folder, 'user-0', deaf.pid!)
  const signal = AbortSignal.abort()
  assert.deepEqual(await endLeftovers(folder, { signal }), [])
  assert.ok(identifyProcess(deaf.pid!))
  assert.deepEqual(readdirSync(folder).sort(), ['child.mjs', 'user-0.pid'])
  forgetChild(folder, 'user-0')
  forgetChild(folder, 'user-0')
  assert.deepEqual(readdirSync(folder), ['child.mjs'])
})
