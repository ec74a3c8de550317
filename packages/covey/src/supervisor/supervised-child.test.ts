import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HealthReport } from '../rpc/health.ts'
import { FakeClock } from '../testing/fake-clock.ts'
import { ScriptedChild } from '../testing/scripted-child.ts'
import type { HealthProbe } from './health-probe.ts'
import {
  type ChildEvent,
  SupervisedChild,
  type SupervisedChildOptions,
} from './supervised-child.ts'

type Settings = SupervisedChildOptions['settings']

/** A child under test: what it started, what happened, and what its processes say when asked. */
function supervise(settings: Partial<Settings> = {}, random = 0.999_999) {
  const clock = new FakeClock()
  const processes: ScriptedChild[] = []
  const startedMs: number[] = []
  const events: ChildEvent[] = []
  const health = { state: 'ready' as HealthReport['state'] | 'silent', asked: 0 }
  const probe: Pick<HealthProbe, 'check'> = {
    async check(timeoutMs) {
      health.asked += 1
      if (health.state !== 'silent') {
        return { state: health.state, app: 'user', instance: 'i', pid: 1, uptimeMs: 0 }
      }
      await new Promise<void>((resolve) => clock.after(timeoutMs, resolve))
      return undefined
    },
  }
  const child = new SupervisedChild({
    settings: {
      restart: 'always',
      health: 'covey',
      startTimeoutMs: 30_000,
      stopTimeoutMs: 35_000,
      ...settings,
    },
    clock,
    probe,
    random: () => random,
    onEvent: (event) => events.push(event),
    spawn() {
      const made = new ScriptedChild(100 + processes.length)
      processes.push(made)
      startedMs.push(clock.monotonicMs())
      return made
    },
  })
  const delays = () =>
    events.flatMap((event) => (event.kind === 'exited' ? [Math.round(event.restartMs ?? -1)] : []))
  return { child, clock, processes, startedMs, events, health, delays }
}

const kills = (events: ChildEvent[]) =>
  events.flatMap((event) => (event.kind === 'killed' ? [event.why] : []))

test('a process is ready when it says so, and not before', async () => {
  const { child, clock, events, health } = supervise()
  health.state = 'starting'
  child.start()
  await clock.advance(5_000)
  assert.equal(child.state.kind, 'starting')
  health.state = 'ready'
  await clock.advance(50)
  assert.equal(child.state.kind, 'running')
  assert.deepEqual(
    events.map(({ kind }) => kind),
    ['started', 'ready'],
  )
})

test('without a health check it is ready once it runs, and is never asked', async () => {
  const { child, clock, health } = supervise({ health: 'none' })
  child.start()
  assert.equal(child.state.kind, 'running')
  await clock.advance(60_000)
  assert.equal(health.asked, 0)
})

test('a crash loop waits 100 ms, twice as long each time, 30 s at most, and never ends', async () => {
  const { child, clock, processes, delays } = supervise()
  child.start()
  for (let round = 0; round < 200; round++) {
    processes.at(-1)?.exit(1)
    await clock.advance(30_000)
    assert.equal(processes.length, round + 2)
  }
  assert.deepEqual(delays().slice(0, 9), [100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600])
  assert.ok(
    delays()
      .slice(9)
      .every((delay) => delay === 30_000),
  )
  assert.equal(child.restarts, 200)
})

test('with the luckiest jitter it still waits 100 ms: it never spins', async () => {
  const { child, clock, processes, delays } = supervise({}, 0)
  child.start()
  for (let round = 0; round < 50; round++) {
    processes.at(-1)?.exit(1)
    await clock.advance(99)
    assert.equal(child.state.kind, 'backoff')
    await clock.advance(1)
  }
  assert.deepEqual(new Set(delays()), new Set([100]))
})

test('after a minute of running the delays begin anew, before that they go on', async () => {
  const { child, clock, processes, delays } = supervise()
  child.start()
  for (const upMs of [0, 0, 57_000, 61_000, 0]) {
    await clock.advance(upMs)
    processes.at(-1)?.exit(1)
    await clock.advance(2_000)
  }
  assert.deepEqual(delays(), [100, 200, 400, 100, 200])
})

test('a minute of not becoming ready is no minute of running', async () => {
  const { child, clock, health, delays } = supervise({ startTimeoutMs: 61_000 })
  health.state = 'starting'
  child.start()
  await clock.advance(61_000 * 3 + 1_000)
  assert.deepEqual(delays(), [100, 200, 400])
})

test('a hung process is killed after three missed answers, within 4 s, and started again', async () => {
  const { child, clock, processes, events, health } = supervise()
  child.start()
  await clock.advance(10_000)
  health.state = 'silent'
  await clock.advance(4_000)
  assert.deepEqual(processes[0]?.told, ['kill'])
  assert.deepEqual(kills(events), ['hung'])
  health.state = 'ready'
  await clock.advance(2_000)
  assert.equal(processes.length, 2)
  assert.equal(child.state.kind, 'running')
})

test('one that hangs after a minute of health is started again without delay', async () => {
  const { child, clock, processes, health, delays } = supervise()
  child.start()
  processes[0]?.exit(1)
  await clock.advance(90_000)
  health.state = 'silent'
  await clock.advance(4_000)
  assert.deepEqual(delays(), [100, 100])
})

test('two misses in a row are forgiven, and so are many that are not in a row', async () => {
  const { child, clock, processes, health } = supervise()
  child.start()
  await clock.advance(1_000)
  for (let round = 0; round < 20; round++) {
    health.state = 'silent'
    await clock.advance(2_000)
    health.state = 'ready'
    await clock.advance(3_000)
  }
  assert.equal(processes.length, 1)
  assert.deepEqual(processes[0]?.told, [])
})

test('one that is draining answers, and is left alone', async () => {
  const { child, clock, processes, health } = supervise()
  child.start()
  await clock.advance(1_000)
  health.state = 'draining'
  await clock.advance(20_000)
  assert.deepEqual(processes[0]?.told, [])
})

test('one that is not ready in time is killed and tried again', async () => {
  const { child, clock, processes, events, health } = supervise({ startTimeoutMs: 5_000 })
  health.state = 'silent'
  child.start()
  await clock.advance(5_000)
  assert.deepEqual(processes[0]?.told, ['kill'])
  assert.deepEqual(kills(events), ['slow start'])
  await clock.advance(100)
  assert.equal(processes.length, 2)
})

test('stop asks, waits and then kills; nothing is started again', async () => {
  const { child, clock, processes, events } = supervise()
  child.start()
  await clock.advance(1_000)
  const stopped = child.stop()
  assert.equal(child.state.kind, 'stopping')
  await clock.advance(34_999)
  assert.deepEqual(processes[0]?.told, ['terminate'])
  await clock.advance(1)
  assert.deepEqual(processes[0]?.told, ['terminate', 'kill'])
  await stopped
  await clock.advance(100_000)
  assert.equal(child.state.kind, 'stopped')
  assert.equal(processes.length, 1)
  assert.deepEqual(kills(events), ['slow stop'])
  assert.equal(clock.waiting, 0)
})

test('stop of one that ends when told to, and a start after it', async () => {
  const { child, clock, processes, events } = supervise()
  child.start()
  const stopped = child.stop()
  assert.equal(child.stop() instanceof Promise, true)
  processes[0]?.exit(0)
  await stopped
  const last = events.at(-1)
  assert.ok(last?.kind === 'exited' && last.asked && last.restartMs === undefined)
  child.start()
  await clock.advance(100)
  assert.equal(processes.length, 2)
  assert.equal(child.state.kind, 'running')
})

test('stop while it waits for its next start, and while it is killed for hanging', async () => {
  const waiting = supervise()
  waiting.child.start()
  waiting.processes[0]?.exit(1)
  await waiting.clock.advance(10)
  assert.equal(waiting.child.state.kind, 'backoff')
  await waiting.child.stop()
  await waiting.clock.advance(60_000)
  assert.equal(waiting.processes.length, 1)
  assert.equal(waiting.clock.waiting, 0)

  const hung = supervise({ startTimeoutMs: 1_000 })
  hung.health.state = 'silent'
  hung.child.start()
  hung.clock.after(1_000, () => void hung.child.stop())
  await hung.clock.advance(60_000)
  assert.equal(hung.processes.length, 1)
  assert.equal(hung.child.state.kind, 'stopped')
})

test('kill ends it at once, whatever it was doing', async () => {
  const { child, clock, processes } = supervise()
  child.kill()
  assert.equal(child.state.kind, 'stopped')
  child.start()
  const stopped = child.stop()
  child.kill()
  await stopped
  assert.deepEqual(processes[0]?.told, ['terminate', 'kill'])
  await clock.advance(60_000)
  assert.equal(processes.length, 1)
})

test('with restart "never" it stays stopped, and its exit is kept', async () => {
  const { child, clock, processes } = supervise({ restart: 'never', health: 'none' })
  child.start()
  processes[0]?.exit(3)
  await clock.advance(60_000)
  assert.equal(processes.length, 1)
  assert.deepEqual(child.state, { kind: 'stopped', exit: { code: 3, signal: null } })
})

test('one that cannot be started at all is tried again', async () => {
  const clock = new FakeClock()
  let tries = 0
  const child = new SupervisedChild({
    settings: { restart: 'always', health: 'none', startTimeoutMs: 1_000, stopTimeoutMs: 1_000 },
    clock,
    random: () => 0,
    probe: { check: async () => undefined },
    onEvent() {},
    spawn() {
      tries += 1
      const exited = Promise.resolve({ code: null, signal: null, error: 'EAGAIN' })
      return { pid: undefined, exited, terminate() {}, kill() {} }
    },
  })
  child.start()
  await clock.advance(1_000)
  assert.equal(tries, 11)
  assert.equal(child.state.kind, 'backoff')
  await child.stop()
})
