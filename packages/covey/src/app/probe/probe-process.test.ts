import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { freePort } from '../../testing/free-port.ts'
import { until } from '../../testing/until.ts'

const createApp = new URL('../create-app.ts', import.meta.url).href
const defineResource = new URL('../define-resource.ts', import.meta.url).href

/** A process whose application waits for files at each step of its life: `started`, `release`, `stopped`. */
const program = `
  import { existsSync } from 'node:fs'
  import { createApp } from ${JSON.stringify(createApp)}
  import { defineResource } from ${JSON.stringify(defineResource)}
  const there = (name) => existsSync(process.argv[1] + '/' + name)
  const wait = async (name) => {
    while (!there(name)) await new Promise((resolve) => setTimeout(resolve, 10))
  }
  const slow = defineResource('slow', { start: () => wait('started'), stop: () => wait('stopped') })
  await createApp({ name: 'notes', resources: [slow] }).start()
  await wait('block')
  while (!there('release'));
`

interface Subject {
  readonly child: ChildProcess
  /** What it wrote. */
  readonly said: { out: string; err: string }
  make(name: string): Promise<void>
  ask(path: string): Promise<{ status: number; reason?: string; forMs?: number }>
}

async function withProcess(
  env: NodeJS.ProcessEnv,
  use: (subject: Subject) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'covey-probe-'))
  const port = await freePort()
  const child = spawn(
    process.execPath,
    ['--input-type=module-typescript', '--eval', program, folder],
    {
      env: {
        ...process.env,
        COVEY__REGISTRY: 'memory:',
        COVEY__DRAIN_WAIT_MS: '0',
        COVEY__PROBE__PORT: String(port),
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
  const said = { out: '', err: '' }
  child.stdout!.on('data', (text) => {
    said.out += text
  })
  child.stderr!.on('data', (text) => {
    said.err += text
  })
  const subject: Subject = {
    child,
    said,
    make: (name) => writeFile(join(folder, name), ''),
    async ask(path) {
      const response = await fetch(`http://127.0.0.1:${port}${path}`).catch(() => undefined)
      if (response === undefined) return { status: 0 }
      return { status: response.status, ...((await response.json()) as object) }
    },
  }
  try {
    await use(subject)
  } finally {
    const gone = once(child, 'exit')
    if (child.exitCode === null && child.signalCode === null && child.kill('SIGKILL')) await gone
    await rm(folder, { recursive: true })
  }
}

test(
  'a blocked event loop is not ready, then dead, and well again afterwards',
  {
    timeout: 30_000,
  },
  () =>
    withProcess({ COVEY__PROBE__DEAD_MS: '1500' }, async ({ child, said, make, ask }) => {
      await until(async () => (await ask('/ready')).reason === 'starting', 'starting', 15_000)
      await make('started')
      await until(async () => (await ask('/ready')).status === 200, 'ready', 15_000)
      await make('block')
      await until(async () => (await ask('/ready')).status === 503, 'not ready', 15_000)
      const { reason, forMs = 0 } = await ask('/ready')
      assert.equal(reason, 'blocked')
      assert.ok(forMs >= 750, `for ${forMs} ms`)
      await until(() => said.err !== '', 'a word of the thread while nothing else runs', 15_000)
      assert.doesNotMatch(said.out, /turns again/)
      await until(async () => (await ask('/live')).status === 503, 'dead', 15_000)
      await make('release')
      await until(async () => (await ask('/ready')).status === 200, 'ready again', 15_000)
      assert.equal((await ask('/live')).status, 200)
      await until(() => said.out.includes('turns again'), 'a word of the application', 15_000)
      const lines = (text: string) => text.trim().split('\n')
      const [warning, ...more] = lines(said.err).map((line) => JSON.parse(line))
      assert.deepEqual(more, [], 'one line for one time')
      assert.equal(warning.level, 40)
      assert.equal(warning.app, 'notes')
      assert.ok(warning.forMs >= 1_000, `told at ${warning.forMs} ms`)
      const last = lines(said.out).find((line) => line.includes('turns again'))!
      assert.ok(JSON.parse(last).forMs >= 1_500, last)
      child.kill('SIGTERM')
      await until(async () => (await ask('/ready')).reason === 'draining', 'draining', 15_000)
      assert.equal((await ask('/live')).status, 200)
      const gone = once(child, 'exit')
      await make('stopped')
      assert.deepEqual(await gone, [0, null])
      assert.equal((await ask('/live')).status, 0)
    }),
)

test('with --permission it needs --allow-worker, and says so', { timeout: 30_000 }, async () => {
  const code = `
    import { createApp } from ${JSON.stringify(createApp)}
    await createApp({ name: 'notes', overrides: { covey: { probe: { port: 0 } } } }).start()
    process.kill(process.pid, 'SIGTERM')`
  const run = async (...flags: string[]) => {
    const args = [
      '--permission',
      '--allow-fs-read=*',
      '--allow-fs-write=*',
      '--allow-net',
      ...flags,
    ]
    const child = spawn(
      process.execPath,
      [...args, '--input-type=module-typescript', '--eval', code],
      { env: { ...process.env, COVEY__REGISTRY: 'memory:' }, stdio: ['ignore', 'ignore', 'pipe'] },
    )
    let said = ''
    child.stderr.on('data', (text) => {
      said += text
    })
    const [exitCode] = await once(child, 'close')
    return { exitCode, said }
  }
  const [refused, allowed] = await Promise.all([run(), run('--allow-worker')])
  assert.equal(refused.exitCode, 1)
  assert.match(refused.said, /notes cannot start: covey\.probe needs .* add --allow-worker/)
  assert.equal(allowed.exitCode, 0, allowed.said)
})
