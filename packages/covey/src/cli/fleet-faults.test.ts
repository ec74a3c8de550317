import assert from 'node:assert/strict'
import { test } from 'node:test'
import { identifyProcess } from '../supervisor/process-identity.ts'
import { fleetProject } from '../testing/fleet-project.ts'
import { app, deaf, idle, statusOf, up } from '../testing/fleet-scripts.ts'
import { until } from '../testing/until.ts'

test('a second Ctrl-C kills at once, grandchildren too', async (t) => {
  const project = await fleetProject(t, { processes: { deaf } })
  const fleet = await up(project)
  await fleet.says('inner ')
  const pids = [...(/inner (\d+) of (\d+)/.exec(fleet.output()) ?? [])].slice(1).map(Number)
  fleet.process.kill('SIGINT')
  await fleet.says('deaf hears nothing')
  const askedMs = performance.now()
  const ended = { done: false }
  void fleet.end.then(() => {
    ended.done = true
  })
  await until(() => {
    fleet.process.kill('SIGINT')
    return ended.done
  }, 'the fleet is gone')
  assert.ok(performance.now() - askedMs < 4_000)
  assert.equal((await fleet.end).code, 130)
  await until(() => pids.every((pid) => identifyProcess(pid) === undefined), 'all are gone')
})

test('a process that ignores SIGTERM is killed after its time, with its children', async (t) => {
  const project = await fleetProject(t, { processes: { deaf: { ...deaf, stopTimeoutMs: 500 } } })
  const fleet = await up(project)
  await fleet.says('inner ')
  const pids = [...(/inner (\d+) of (\d+)/.exec(fleet.output()) ?? [])].slice(1).map(Number)
  assert.equal((await project.covey('stop')).code, 0)
  const { code, stdout } = await fleet.end
  assert.equal(code, 0)
  assert.match(stdout, /WARN deaf-0 has not stopped after 500 ms and is killed/)
  await until(() => pids.every((pid) => identifyProcess(pid) === undefined), 'all are gone')
})

test('a killed process is started again, its sibling is not touched', async (t) => {
  const project = await fleetProject(t, { processes: { app, idle } })
  await up(project)
  const before = await statusOf(project)
  process.kill(before['app-0']!.pid!, 'SIGKILL')
  await until(
    async () => {
      const now = (await statusOf(project))['app-0']
      return now?.state === 'running' && now.restarts === 1
    },
    'the process runs again',
    20_000,
  )
  const after = await statusOf(project)
  assert.notEqual(after['app-0']?.pid, before['app-0']?.pid)
  assert.equal(after['idle-0']?.pid, before['idle-0']?.pid)
})

test('a crash loop goes on without spinning, and harms nobody', async (t) => {
  const script = `console.error('cannot work'); process.exit(1)`
  const project = await fleetProject(t, { processes: { idle, broken: { health: 'none', script } } })
  const fleet = await up(project)
  await until(() => fleet.output().split('cannot work').length > 5, 'five tries', 20_000)
  const { 'idle-0': sibling, 'broken-0': broken } = await statusOf(project)
  assert.equal(sibling?.state, 'running')
  assert.equal(sibling?.restarts, 0)
  assert.ok(broken!.restarts < 40, `${broken!.restarts} restarts`)
  const delays = [...fleet.output().matchAll(/(?:next try|started again) in (\d+) ms/g)].map(
    ([, ms]) => Number(ms),
  )
  assert.ok(delays.length >= 4 && delays.every((ms) => ms >= 100), delays.join())
  assert.equal((await project.covey('stop')).code, 0)
})

test('a hung process is replaced', async (t) => {
  const project = await fleetProject(t, { processes: { app, idle } })
  const fleet = await up(project)
  const before = await statusOf(project)
  process.kill(before['app-0']!.pid!, 'SIGSTOP')
  await fleet.says('app-0 does not answer and is killed', 10_000)
  await until(
    async () => (await statusOf(project))['app-0']?.state === 'running',
    'it runs',
    20_000,
  )
  const after = await statusOf(project)
  assert.notEqual(after['app-0']?.pid, before['app-0']?.pid)
  assert.equal(after['idle-0']?.pid, before['idle-0']?.pid)
})

test('when the supervisor is killed its processes end by themselves, and a new one starts', async (t) => {
  const project = await fleetProject(t, { processes: { app, idle } })
  const fleet = await up(project)
  const before = await statusOf(project)
  const pids = Object.values(before).map(({ pid }) => pid!)
  fleet.process.kill('SIGKILL')
  await fleet.end
  assert.equal((await project.covey('status')).code, 3)
  const second = await up(project)
  assert.deepEqual(pids.map(identifyProcess), [undefined, undefined])
  assert.equal((await project.covey('stop')).code, 0)
  assert.equal((await second.end).code, 0)
})

test('stop after a killed supervisor ends what it left, also what would not notice', async (t) => {
  const script = `console.log('pid ' + process.pid); setInterval(() => {}, 1000)`
  const project = await fleetProject(t, { processes: { stubborn: { health: 'none', script } } })
  const fleet = await up(project)
  await fleet.says('pid ')
  const pid = Number(/pid (\d+)\n/.exec(fleet.output().split('│').at(-1) ?? '')?.[1])
  fleet.process.kill('SIGKILL')
  await fleet.end
  assert.ok(identifyProcess(pid))
  const { code, stdout } = await project.covey('stop')
  assert.equal(code, 0)
  assert.match(stdout, /had died; ended what it left: stubborn-0/)
  assert.equal(identifyProcess(pid), undefined)
})
