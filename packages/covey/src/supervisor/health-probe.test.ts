import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { systemClock } from '../base/clock.ts'
import { until } from '../testing/until.ts'
import { createHealthProbe } from './health-probe.ts'
import { spawnChild } from './spawn-child.ts'

const covey = new URL('../index.ts', import.meta.url).href

/** An application in a process of its own, with a control socket. */
async function startApp(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'covey-probe-'))
  const entry = join(folder, 'app.ts')
  const socket = join(folder, 'app.sock')
  const script = `
    import { createApp } from ${JSON.stringify(covey)}
    await createApp({ name: 'app', services: [] }).start()`
  await writeFile(entry, script)
  const start = () =>
    spawnChild({
      entry,
      args: [],
      cwd: folder,
      env: { PATH: process.env.PATH, COVEY_PROCESS: 'app', COVEY_CONTROL: socket },
      onLine() {},
    })
  const children = [start()]
  const probe = createHealthProbe(socket, systemClock)
  t.after(async () => {
    probe.reset()
    for (const child of children) child.kill()
    await Promise.all(children.map(({ exited }) => exited))
    await rm(folder, { recursive: true })
  })
  const restart = () => children.push(start())
  return { children, probe, restart }
}

test('an application tells its state; one that hangs or is gone tells nothing, in time', async (t) => {
  const { children, probe, restart } = await startApp(t)
  const isReady = async () => (await probe.check(1_000))?.state === 'ready'
  await until(isReady, 'the application is ready', 20_000)
  const report = await probe.check(1_000)
  assert.deepEqual([report?.app, report?.pid], ['app', children[0]?.pid])

  process.kill(children[0]!.pid!, 'SIGSTOP')
  const askedMs = performance.now()
  assert.equal(await probe.check(300), undefined)
  assert.equal(await probe.check(300), undefined)
  assert.ok(performance.now() - askedMs < 2_000)
  process.kill(children[0]!.pid!, 'SIGCONT')
  await until(isReady, 'the application answers again')

  children[0]?.kill()
  await children[0]?.exited
  assert.equal(await probe.check(1_000), undefined)
  restart()
  await until(isReady, 'the next one is ready', 20_000)
  assert.equal((await probe.check(1_000))?.pid, children[1]?.pid)
})

test('where there is no socket there is no answer', async () => {
  const probe = createHealthProbe('/does/not/exist.sock', systemClock)
  assert.equal(await probe.check(1_000), undefined)
})
