import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { startChild, stopChildren } from './child.ts'

const folder = mkdtempSync(join(tmpdir(), 'bench-child-'))
after(async () => {
  await stopChildren()
  rmSync(folder, { recursive: true })
})

test('hands over messages, with the arguments in place', async () => {
  const child = startChild(script('echo', 'process.send({ got: process.argv[2] })'), ['covey'])
  assert.deepEqual(await child.message(10_000), { got: 'covey' })
  await child.stop()
})

test('a child that ends early fails the wait and names its exit code', async () => {
  const child = startChild(script('leaves', 'process.exit(3)'), [])
  await assert.rejects(
    child.message(10_000),
    /leaves\.mjs: the process ended early \(exit code 3\)/,
  )
  await assert.rejects(child.message(10_000), /has already ended/)
})

test('a silent child fails the wait at its limit', async () => {
  const child = startChild(script('silent', 'setInterval(() => {}, 1000)'), [])
  await assert.rejects(child.message(50), /no answer within 0.05 s/)
  await child.stop()
})

test('a child that ignores SIGTERM is killed', async () => {
  const code = `process.on('SIGTERM', () => {}); setInterval(() => {}, 1000); process.send('up')`
  const child = startChild(script('stubborn', code), [])
  await child.message(10_000)
  await child.stop()
  await assert.rejects(child.message(10_000), /has already ended/)
})

test('stopChildren ends all of them, and stopping twice is free', async () => {
  const children = [1, 2].map(() => startChild(script('waits', 'setInterval(() => {}, 1000)'), []))
  await stopChildren()
  for (const child of children) {
    await child.stop()
    await assert.rejects(child.message(10_000), /has already ended/)
  }
})

function script(name: string, code: string): URL {
  const file = join(folder, `${name}.mjs`)
  writeFileSync(file, code)
  return pathToFileURL(file)
}
