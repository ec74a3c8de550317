import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { FakeClock } from '../testing/fake-clock.ts'
import { ScriptedChild } from '../testing/scripted-child.ts'
import { defineFleet } from './define-fleet.ts'
import type { ProcessOptions } from './fleet.ts'
import { createHubLog } from './log/hub-log.ts'
import { LogHub } from './log/log-hub.ts'
import { prepareRunFolder, runFolder } from './run-folder.ts'
import type { ChildCommand } from './spawn-child.ts'
import { Supervisor } from './supervisor.ts'

type Processes = Record<string, Partial<ProcessOptions>>

/** A supervisor over scripted processes: all that were started, by the name of their copy. */
function fleetOf(t: TestContext, options: Processes) {
  const folder = mkdtempSync(join(tmpdir(), 'covey-supervisor-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const entries = Object.entries(options).map(([name, process]) => [
    name,
    { entry: `${name}.ts`, health: 'none', ...process } as ProcessOptions,
  ])
  const fleet = defineFleet({ name: 'test', processes: Object.fromEntries(entries) })
  const clock = new FakeClock()
  const hub = new LogHub(clock)
  const run = runFolder(folder)
  prepareRunFolder(run)
  const started: { name: string; command: ChildCommand; child: ScriptedChild }[] = []
  const ready = new Set<string>()
  const supervisor = new Supervisor({
    loaded: { fleet, file: join(folder, 'covey.config.ts'), folder },
    processes: Object.values(fleet.processes),
    runFolder: run,
    socketFolder: run.run,
    hub,
    log: createHubLog(hub, clock),
    clock,
    env: { PATH: '/bin', FORCE_COLOR: '1', COVEY_DIR: 'of an outer fleet' },
    random: () => 0.5,
    probe: (socket) => ({
      async check() {
        const name = socket.split('/').at(-1)?.replace('.sock', '') ?? ''
        const state = ready.has(name) ? 'ready' : 'starting'
        return { state, app: name, instance: name, pid: 1, uptimeMs: 0 }
      },
      reset() {},
    }),
    spawn(command) {
      const name = `${command.env.COVEY_PROCESS}-${command.env.COVEY_REPLICA}`
      const child = new ScriptedChild(process.pid)
      started.push({ name, command, child })
      return child
    },
  })
  const names = () => started.map(({ name }) => name)
  const last = (name: string) => started.findLast((entry) => entry.name === name)!
  const log = () => hub.tail('covey', 100).map(({ text }) => JSON.parse(text).msg as string)
  return { supervisor, clock, hub, run, folder, started, ready, names, last, log }
}

/** Ends every process that is told to, as well-behaved ones do. */
function obey(started: { child: ScriptedChild }[]): void {
  for (const { child } of started) if (child.told.includes('terminate')) child.exit(0)
}

test('a process gets its place by environment, and no colours', async (t) => {
  const { supervisor, folder, last } = fleetOf(t, {
    user: { replicas: 2, env: { A: 'b' }, args: ['x'] },
  })
  await supervisor.start()
  const { command } = last('user-1')
  assert.equal(command.entry, join(folder, 'user.ts'))
  assert.equal(command.cwd, folder)
  assert.deepEqual(command.args, ['x'])
  assert.deepEqual(command.env, {
    PATH: '/bin',
    NO_COLOR: '1',
    A: 'b',
    COVEY_PROCESS: 'user',
    COVEY_REPLICA: '1',
    COVEY_DIR: join(folder, '.covey'),
    COVEY_CONTROL: join(folder, '.covey', 'run', 'user-1.sock'),
  })
})

test('each starts when all it comes after are ready, and stops before them', async (t) => {
  const { supervisor, clock, names, ready, started } = fleetOf(t, {
    gateway: { health: 'covey', after: ['message', 'user'] },
    message: { health: 'covey', replicas: 2 },
    user: { health: 'covey' },
  })
  const up = supervisor.start()
  await clock.advance(1_000)
  assert.deepEqual(names(), ['message-0', 'message-1', 'user-0'])
  for (const name of ['message-0', 'user-0']) ready.add(name)
  await clock.advance(1_000)
  assert.equal(started.length, 3)
  ready.add('message-1')
  await clock.advance(1_000)
  assert.deepEqual(names().at(-1), 'gateway-0')
  ready.add('gateway-0')
  await clock.advance(1_000)
  await up
  assert.deepEqual(
    supervisor.processes().map(({ name, state }) => `${name} ${state}`),
    ['gateway-0 running', 'message-0 running', 'message-1 running', 'user-0 running'],
  )
  const down = supervisor.stop()
  await clock.advance(10)
  assert.deepEqual(
    started.map(({ child }) => child.told.length),
    [0, 0, 0, 1],
  )
  obey(started)
  await clock.advance(10)
  assert.deepEqual(
    started.map(({ child }) => child.told.length),
    [1, 1, 1, 1],
  )
  obey(started)
  await down
})

test('a crash concerns nobody else', async (t) => {
  const { supervisor, clock, last, names, log } = fleetOf(t, { a: {}, b: {} })
  await supervisor.start()
  for (let round = 0; round < 10; round++) {
    last('a-0').child.exit(1)
    await clock.advance(60_000)
  }
  assert.equal(names().filter((name) => name === 'a-0').length, 11)
  assert.equal(names().filter((name) => name === 'b-0').length, 1)
  const [a, b] = supervisor.processes()
  assert.deepEqual([a?.restarts, b?.restarts], [10, 0])
  assert.ok(log().includes('a-0 exited with code 1 and is started again in 100 ms'))
})

test('a hopeless process ends the first start with what it said last', async (t) => {
  const { supervisor, clock, last, ready } = fleetOf(t, {
    user: { health: 'covey' },
    gateway: { health: 'covey' },
  })
  ready.add('user-0')
  const up = supervisor.start()
  up.catch(() => {})
  last('gateway-0').command.onLine('stderr', 'an earlier life')
  last('gateway-0').child.exit(1)
  await clock.advance(500)
  last('gateway-0').command.onLine('stdout', 'loading')
  last('gateway-0').command.onLine('stderr', 'port 8090 is in use; set gateway.port')
  last('gateway-0').child.exit(78)
  await assert.rejects(up, {
    code: 'START_FAILED',
    message: 'gateway-0 cannot start: port 8090 is in use; set gateway.port',
  })
  const down = supervisor.stop()
  last('user-0').child.exit(0)
  await down
  assert.ok(supervisor.processes().every(({ state }) => state === 'stopped'))
})

test('several lines of a reason are all shown; without any, the log file is named', async (t) => {
  const first = fleetOf(t, { user: { health: 'covey' } })
  const up = first.supervisor.start()
  for (const text of ['2 settings are wrong:', '  port: x', '']) {
    first.last('user-0').command.onLine('stderr', text)
  }
  first.last('user-0').child.exit(78)
  await assert.rejects(up, {
    message: 'user-0 cannot start: 2 settings are wrong:\n  port: x',
  })
  const second = fleetOf(t, { user: { health: 'covey' } })
  const silent = second.supervisor.start()
  second.last('user-0').child.exit(78)
  const path = join(second.run.log, 'user-0.log')
  await assert.rejects(silent, {
    message: `user-0 cannot start: it exited with code 78 and says no reason; its log is ${path}`,
  })
})

test('a start that fails goes on for ever, and tells the same reason in one line', async (t) => {
  const { supervisor, clock, hub, last, log, names, ready } = fleetOf(t, {
    user: { health: 'covey' },
    gateway: { health: 'covey', after: ['user'] },
  })
  ready.add('gateway-0')
  const up = supervisor.start()
  const fail = async () => {
    const { command, child } = last('user-0')
    for (const text of ['user cannot start: no disk', '    at open']) command.onLine('stderr', text)
    child.exit(1)
    await clock.advance(20_000)
  }
  for (let round = 0; round < 50; round++) await fail()
  assert.deepEqual(
    hub.tail('user', 100).map(({ text }) => text),
    ['user cannot start: no disk', '    at open'],
  )
  assert.deepEqual(
    log().filter((_, at) => at < 2 || at === 7),
    [
      'user-0 exited with code 1 and is started again in 100 ms; the fleet waits until it is ready, Ctrl-C stops everything',
      'user-0 exited with code 1, same reason: no disk; attempt 2, next try in 100 ms',
      'user-0 exited with code 1, same reason: no disk; attempt 8, next try in 6 s',
    ],
  )
  assert.equal(supervisor.processes()[0]?.reason, 'no disk')
  assert.equal(names().length, 51)
  ready.add('user-0')
  await clock.advance(1_000)
  await up
  assert.equal(supervisor.processes()[0]?.reason, null)
  last('user-0').child.exit(1)
  await clock.advance(1)
  assert.match(log().at(-1)!, /^user-0 exited with code 1 and is started again in \d+ (ms|s)$/)
})

test('one that is never ready is told with that reason', async (t) => {
  const { supervisor, clock, last, log } = fleetOf(t, {
    user: { health: 'covey', startTimeoutMs: 5_000 },
  })
  void supervisor.start()
  for (let round = 0; round < 3; round++) {
    last('user-0').command.onLine('stderr', 'a warning')
    await clock.advance(5_300)
  }
  assert.equal(
    log().findLast((text) => text.includes('attempt')),
    'user-0 was ended by SIGKILL, same reason: is not ready after 5000 ms; attempt 3, next try in 200 ms',
  )
  last('user-0').command.onLine('stderr', 'Error: no disk')
  last('user-0').child.exit(1)
  await clock.advance(1)
  assert.equal(supervisor.processes()[0]?.reason, 'Error: no disk')
})

test('one that nobody asks has started when it stays for five seconds', async (t) => {
  const { supervisor, clock, hub, last, log } = fleetOf(t, { idle: {} })
  await supervisor.start()
  const round = async (upMs: number) => {
    last('idle-0').command.onLine('stderr', 'Error: no disk')
    await clock.advance(upMs)
    last('idle-0').child.exit(1)
    await clock.advance(1_000)
  }
  const shown = () => hub.tail('idle', 100).length
  await round(10)
  await round(10)
  assert.equal(shown(), 1)
  assert.deepEqual(log(), [
    'idle-0 is ready',
    'idle-0 exited with code 1 and is started again in 100 ms',
    'idle-0 exited with code 1, same reason: Error: no disk; attempt 2, next try in 100 ms',
  ])
  await round(5_000)
  assert.equal(shown(), 2)
  assert.deepEqual(log().slice(3, 5), [
    'idle-0 is ready',
    'idle-0 exited with code 1 and is started again in 200 ms',
  ])
  assert.equal(supervisor.processes()[0]?.reason, null)
})

test('a stop shows what was held back', async (t) => {
  const { supervisor, clock, hub, last } = fleetOf(t, { user: { health: 'covey' } })
  void supervisor.start()
  last('user-0').command.onLine('stderr', 'a warning')
  last('user-0').child.exit(1)
  await clock.advance(1_000)
  last('user-0').command.onLine('stderr', 'a warning')
  const down = supervisor.stop()
  last('user-0').child.exit(0)
  await down
  assert.equal(hub.tail('user', 10).length, 2)
})

test('the same exit later is a crash like any other', async (t) => {
  const { supervisor, clock, last, names } = fleetOf(t, { user: {} })
  await supervisor.start()
  for (let round = 0; round < 3; round++) {
    last('user-0').child.exit(78)
    await clock.advance(1_000)
  }
  assert.equal(names().length, 4)
  assert.equal(supervisor.processes()[0]?.state, 'running')
})

test('a process that runs once may end well, and fails the start when it ends badly', async (t) => {
  const slow: Processes = { slow: { health: 'covey' } }
  const good = fleetOf(t, { once: { restart: 'never' }, ...slow })
  const up = good.supervisor.start()
  good.last('once-0').child.exit(0)
  await good.clock.advance(100)
  good.ready.add('slow-0')
  await good.clock.advance(100)
  await up
  assert.equal(good.names().length, 2)

  const bad = fleetOf(t, { once: { restart: 'never' }, ...slow })
  const failing = bad.supervisor.start()
  bad.last('once-0').child.exit(1)
  await assert.rejects(
    failing,
    /^CoveyError: once-0 cannot start: it exited with code 1 and says no reason/,
  )

  const early = fleetOf(t, { once: { restart: 'never', health: 'covey' } })
  const never = early.supervisor.start()
  early.last('once-0').child.exit(0)
  await assert.rejects(
    never,
    /^CoveyError: once-0 cannot start: it exited with code 0 and says no reason/,
  )
})

test('a stop during the start ends both, and starts nothing more', async (t) => {
  const { supervisor, clock, last, names } = fleetOf(t, {
    user: { health: 'covey' },
    gateway: { after: ['user'] },
  })
  const up = supervisor.start()
  await clock.advance(100)
  const down = supervisor.stop()
  last('user-0').child.exit(0)
  await Promise.all([up, down])
  assert.deepEqual(names(), ['user-0'])
})

test('kill ends all at once', async (t) => {
  const { supervisor, started } = fleetOf(t, { a: {}, b: { after: ['a'] } })
  await supervisor.start()
  const down = supervisor.stop()
  supervisor.kill()
  await down
  assert.ok(started.every(({ child }) => child.told.includes('kill')))
})

test('a stop that is ignored takes no longer than its limit, which is known', async (t) => {
  const { supervisor, clock } = fleetOf(t, {
    a: { stopTimeoutMs: 1_000 },
    b: { stopTimeoutMs: 4_000, after: ['a'] },
  })
  assert.equal(supervisor.stopLimitMs, 9_000)
  await supervisor.start()
  let stopped = false
  const down = supervisor.stop().then(() => {
    stopped = true
  })
  await clock.advance(4_999)
  assert.equal(stopped, false)
  await clock.advance(1)
  await down
})

test('who runs is noted on disk for a later supervisor, and a stale socket is removed', async (t) => {
  const { supervisor, clock, run, last } = fleetOf(t, { user: {} })
  writeFileSync(join(run.run, 'user-0.sock'), '')
  await supervisor.start()
  assert.deepEqual(readdirSync(run.run), ['user-0.pid'])
  last('user-0').child.exit(1)
  await clock.advance(50)
  assert.deepEqual(readdirSync(run.run), [])
  const [status] = supervisor.processes()
  assert.deepEqual(status, {
    name: 'user-0',
    process: 'user',
    replica: 0,
    state: 'backoff',
    pid: null,
    restarts: 0,
    uptimeMs: null,
    retryMs: 50,
    reason: 'exited with code 1',
    cpuPercent: null,
    memoryBytes: null,
  })
})

test('a run folder that went away stops no process', async (t) => {
  const { supervisor, clock, run, last, names, log } = fleetOf(t, { user: {} })
  rmSync(run.root, { recursive: true })
  await supervisor.start()
  last('user-0').child.exit(1)
  await clock.advance(1_000)
  assert.equal(names().length, 2)
  assert.ok(log().includes('user-0 cannot be noted'))
})
