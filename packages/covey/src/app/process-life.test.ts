import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { freePort } from '../testing/free-port.ts'

const app = new URL('./create-app.ts', import.meta.url).href
const resource = new URL('./define-resource.ts', import.meta.url).href

/** A process with an application made of these options. */
function spawnApp(options: string, env: NodeJS.ProcessEnv = {}): ChildProcess {
  const code = `
    import { createApp } from ${JSON.stringify(app)}
    import { defineResource } from ${JSON.stringify(resource)}
    const broken = defineResource('disk', { start() { throw new Error('no space left') } })
    const slow = defineResource('slow', {
      start() {},
      stop: () => new Promise((resolve) => setTimeout(() => resolve(console.log('stopped well')), 50)),
    })
    await createApp(${options}).start()`
  return spawn(process.execPath, ['--input-type=module-typescript', '--eval', code], {
    env: { ...process.env, COVEY__REGISTRY: 'memory:', COVEY__DRAIN_WAIT_MS: '0', ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
}

async function text(stream: NodeJS.ReadableStream): Promise<string> {
  let all = ''
  for await (const chunk of stream) all += String(chunk)
  return all
}

async function ready(child: ChildProcess): Promise<void> {
  for await (const chunk of child.stdout!.iterator({ destroyOnReturn: false })) {
    if (String(chunk).includes('is ready')) return
  }
  throw new Error('it ended before it was ready')
}

test('a signal stops it well, and the process ends with 0', { timeout: 20_000 }, async () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const child = spawnApp(`{ name: 'a', resources: [slow] }`)
    await ready(child)
    child.kill(signal)
    const [rest, [code]] = await Promise.all([text(child.stdout!), once(child, 'exit')])
    assert.equal(code, 0)
    assert.match(rest, /stopped well/)
  }
})

test('the end of the supervisor stops it as well', { timeout: 20_000 }, async () => {
  const child = spawnApp(`{ name: 'a', resources: [slow] }`, { COVEY_PROCESS: 'a' })
  await ready(child)
  child.stdin!.end()
  const [code] = await once(child, 'exit')
  assert.equal(code, 0)
})

test('a start that fails says why in one line; 78 when it would fail again', {
  timeout: 20_000,
}, async () => {
  const port = await freePort()
  const holder = spawnApp(`{ name: 'holder', overrides: { covey: { port: ${port} } } }`)
  await ready(holder)
  const cases = [
    [
      `{ name: 'b', overrides: { covey: { port: ${port} } } }`,
      78,
      /^b cannot start: .*is in use by another process: .*set another port\n$/,
    ],
    [
      `{ name: 'b', overrides: { covey: { prot: 1 } } }`,
      78,
      /^b cannot start: 1 setting is wrong:\n.*prot.*port/s,
    ],
    [
      `{ name: 'b', resources: [broken] }`,
      1,
      /^b cannot start: resource "disk": no space left\n( {4}at .*\n)+$/,
    ],
  ] as const
  try {
    for (const [options, expected, message] of cases) {
      const child = spawnApp(options)
      const [said, [code]] = await Promise.all([text(child.stderr!), once(child, 'exit')])
      assert.match(said, message)
      assert.equal(code, expected)
    }
  } finally {
    const gone = once(holder, 'exit')
    if (holder.exitCode === null && holder.kill('SIGTERM')) await gone
  }
})
