import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { until } from '../testing/until.ts'
import { identifyProcess } from './process-identity.ts'
import { type ChildHandle, spawnChild } from './spawn-child.ts'

async function run(t: TestContext, script: string, env: Record<string, string> = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'covey-spawn-'))
  const entry = join(folder, 'child.mjs')
  await writeFile(entry, script)
  const lines: string[] = []
  const child = spawnChild({
    entry,
    args: ['--flag', 'a b'],
    cwd: folder,
    env: { PATH: process.env.PATH, ...env },
    onLine: (stream, text) => lines.push(`${stream}: ${text}`),
  })
  t.after(async () => {
    child.kill()
    await child.exited
    await rm(folder, { recursive: true })
  })
  return { child, lines, folder }
}

const said = (lines: string[], text: string) =>
  until(() => lines.some((line) => line.includes(text)), `the child says ${text}`)

test('a script runs with its arguments, environment and folder; its last words are read', async (t) => {
  const script = `
    console.log(JSON.stringify([process.argv.slice(2), process.env.COLOUR, process.cwd()]))
    process.stderr.write('no line end')
    process.exitCode = 7`
  const { child, lines, folder } = await run(t, script, { COLOUR: 'blue' })
  assert.deepEqual(await child.exited, { code: 7, signal: null })
  assert.deepEqual(lines.sort(), [
    'stderr: no line end',
    `stdout: ${JSON.stringify([['--flag', 'a b'], 'blue', folder])}`,
  ])
})

test('it leads a process group of its own, and its standard input stays open', async (t) => {
  const script = `
    import { readFileSync } from 'node:fs'
    const group = readFileSync('/proc/self/stat', 'utf8').split(') ')[1].split(' ')[2]
    process.stdin.on('end', () => console.log('input ended')).resume()
    setTimeout(() => console.log(Number(group) === process.pid ? 'own group' : 'other group'), 100)`
  const { lines } = await run(t, script)
  await said(lines, 'own group')
  assert.deepEqual(lines, ['stdout: own group'])
})

test('terminate asks; a process that does not listen stays, and kill takes its children along', async (t) => {
  const script = `
    import { spawn } from 'node:child_process'
    process.on('SIGTERM', () => console.log('no'))
    const inner = spawn(process.execPath, ['-e', 'process.on("SIGTERM", () => {}); setInterval(() => {}, 1000)'])
    console.log('inner ' + inner.pid)
    setInterval(() => {}, 1000)`
  const { child, lines } = await run(t, script)
  await said(lines, 'inner')
  const inner = Number(/inner (\d+)/.exec(lines.join())?.[1])
  child.terminate()
  await said(lines, 'no')
  assert.ok(identifyProcess(inner))
  child.kill()
  assert.deepEqual(await child.exited, { code: null, signal: 'SIGKILL' })
  await until(() => identifyProcess(inner) === undefined, 'the grandchild is gone')
})

test('what a process leaves behind when it ends by itself is ended too', async (t) => {
  const script = `
    import { spawn } from 'node:child_process'
    const inner = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'inherit' })
    console.log('inner ' + inner.pid)
    inner.unref()
    process.exit(0)`
  const { child, lines } = await run(t, script)
  assert.deepEqual(await child.exited, { code: 0, signal: null })
  const inner = Number(/inner (\d+)/.exec(lines.join())?.[1])
  await until(() => identifyProcess(inner) === undefined, 'the grandchild is gone')
})

test('a grandchild that left the group and holds the output does not hold up the end', async (t) => {
  const script = `
    import { spawn } from 'node:child_process'
    const inner = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 20000)'], { stdio: 'inherit', detached: true })
    console.log('inner ' + inner.pid)
    inner.unref()
    process.exit(0)`
  const { child, lines } = await run(t, script)
  const startedMs = performance.now()
  await child.exited
  assert.ok(performance.now() - startedMs < 5_000)
  process.kill(Number(/inner (\d+)/.exec(lines.join())?.[1]), 'SIGKILL')
})

test('what cannot be started is an exit with the reason', async () => {
  const command = { entry: 'x', args: [], env: {}, onLine() {} }
  const missing: ChildHandle = spawnChild({ ...command, cwd: '/does/not/exist' })
  assert.match((await missing.exited).error ?? '', /ENOENT/)
  const invalid = spawnChild({ ...command, cwd: '/', args: ['a\0b'] })
  assert.match((await invalid.exited).error ?? '', /null bytes/)
  assert.equal(invalid.pid, undefined)
  invalid.terminate()
  invalid.kill()
})
