import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
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

test('answers requests one after the other', async () => {
  const code = `process.on('message', ({ n }) => process.send({ double: n * 2 }))`
  const child = startChild(script('doubles', code), [])
  assert.deepEqual(await child.request({ n: 2 }, 10_000), { double: 4 })
  assert.deepEqual(await child.request({ n: 5 }, 10_000), { double: 10 })
  await child.stop()
  await assert.rejects(child.request({ n: 1 }, 10_000), /has already ended/)
})

test('runs on the one core it was given', { skip: noTaskset() }, async () => {
  const code = `
    import { readFileSync } from 'node:fs'
    const status = readFileSync('/proc/self/status', 'utf8')
    process.send({ allowed: /Cpus_allowed_list:\\s+(\\S+)/.exec(status)[1], gc: typeof gc })
    setInterval(() => {}, 1000)`
  const child = startChild(script('pinned', code), [], { core: 0, nodeArgs: ['--expose-gc'] })
  assert.deepEqual(await child.message(10_000), { allowed: '0', gc: 'function' })
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

function noTaskset(): string | false {
  const { error } = spawnSync('taskset', ['--version'], { stdio: 'ignore' })
  return error ? 'there is no taskset' : false
}

function script(name: string, code: string): URL {
  const file = join(folder, `${name}.mjs`)
  writeFileSync(file, code)
  return pathToFileURL(file)
}
