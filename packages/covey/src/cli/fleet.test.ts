import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { identifyProcess } from '../supervisor/process-identity.ts'
import type { ProcessStatus } from '../supervisor/process-status.ts'
import { type FleetProject, fleetProject } from '../testing/fleet-project.ts'
import { freePort } from '../testing/free-port.ts'
import { until } from '../testing/until.ts'

const coveyModule = new URL('../index.ts', import.meta.url).href

/** Runs until it is told to end, or its supervisor is gone. */
const idle = {
  health: 'none',
  script: `
    process.stdin.on('end', () => process.exit(0)).resume()
    process.on('SIGTERM', () => process.exit(0))
    console.log('idle is up')`,
} as const

const app = {
  script: `
    import { createApp } from '${coveyModule}'
    await createApp({ name: 'app', services: [] }).start()`,
} as const

/** Ends only by force, and has a child that is the same. */
const deaf = {
  health: 'none',
  script: `
    import { spawn } from 'node:child_process'
    process.on('SIGTERM', () => console.log('deaf hears nothing'))
    const inner = spawn(process.execPath, ['-e', 'process.on("SIGTERM", () => {}); setInterval(() => {}, 1000)'])
    console.log('inner ' + inner.pid + ' of ' + process.pid)
    setInterval(() => {}, 1000)`,
} as const

async function statusOf(project: FleetProject): Promise<Record<string, ProcessStatus>> {
  const { stdout } = await project.covey('status', '--json')
  const processes: ProcessStatus[] = JSON.parse(stdout).processes ?? []
  return Object.fromEntries(processes.map((process) => [process.name, process]))
}

async function up(project: FleetProject, ...args: string[]) {
  const fleet = project.run(['start', ...args])
  await fleet.says('Ctrl-C stops everything')
  return fleet
}

function assertOneLine(stderr: string, pattern: RegExp): void {
  assert.match(stderr, pattern)
  assert.equal(stderr.trimEnd().split('\n').length, 1, stderr)
}

test('the life of a fleet: start, status, logs, stop', async (t) => {
  const banner = [{ label: 'Chat', url: 'http://127.0.0.1:8090' }]
  const project = await fleetProject(t, {
    name: 'chat',
    banner,
    processes: { app, idle: { ...idle, replicas: 2 } },
  })
  const fleet = await up(project)
  const lines = fleet.output().split('\n')
  assert.ok(lines.includes('Chat: http://127.0.0.1:8090'))
  assert.ok(lines.includes(`Console: http://127.0.0.1:${project.port}`))
  assert.match(fleet.output(), /^\d\d:\d\d:\d\d idle-1 │ idle is up$/m)
  assert.match(fleet.output(), /^\d\d:\d\d:\d\d app {4}│ app is ready {2}address=\S+/m)

  const table = await project.covey('status')
  assert.equal(table.code, 0)
  assert.match(table.stdout, /^PROCESS +STATE +PID +RESTARTS +UP +CPU +MEMORY$/m)
  assert.match(table.stdout, /^app-0 +running +\d+ +0 /m)
  assert.match(table.stdout, /^idle-1 +running +\d+ +0 /m)

  const logs = await project.covey('logs', 'idle', '-n', '1')
  assert.match(logs.stdout, /^\d\d:\d\d:\d\d idle-\d │ idle is up\n$/)
  const unknown = await project.covey('logs', '../../x')
  assert.equal(unknown.code, 1)
  assertOneLine(unknown.stderr, /no such process; there are app, app-0, idle/)

  const follower = project.run(['logs', '-f'])
  await follower.says('app is ready')
  const stop = await project.covey('stop')
  assert.deepEqual(stop, { code: 0, stdout: 'the fleet "chat" has stopped\n', stderr: '' })
  assert.deepEqual(await fleet.end.then(({ code, stderr }) => [code, stderr]), [0, ''])
  assert.equal((await follower.end).code, 0)
  assert.match(follower.output(), /the fleet is stopped through the API/)

  assert.deepEqual(readdirSync(join(project.folder, '.covey', 'run')), ['token'])
  assert.equal((await project.covey('status')).code, 3)
  assert.deepEqual(JSON.parse((await project.covey('status', '--json')).stdout), { running: false })
  const again = await project.covey('stop')
  assert.equal(again.code, 0)
  assert.match(again.stdout, /^no fleet runs in /)
  assert.equal((await project.covey('logs')).code, 3)
})

test('what belongs to a fleet is for its owner only, and logs are on disk', async (t) => {
  const project = await fleetProject(t, { processes: { idle } })
  const fleet = await up(project)
  const covey = join(project.folder, '.covey')
  const log = join(covey, 'log/idle-0.log')
  await until(
    () => existsSync(log) && readFileSync(log, 'utf8').endsWith('\n'),
    'a line is on disk',
  )
  const modeOf = (path: string) => (statSync(join(covey, path)).mode & 0o777).toString(8)
  assert.deepEqual(['', 'run', 'log'].map(modeOf), ['700', '700', '700'])
  assert.deepEqual(['run/token', 'run/supervisor.json', 'log/idle-0.log'].map(modeOf), [
    '600',
    '600',
    '600',
  ])
  const record = JSON.parse(readFileSync(join(covey, 'run/supervisor.json'), 'utf8'))
  assert.equal(record.pid, fleet.process.pid)
  assert.equal(record.url, `http://127.0.0.1:${project.port}`)
  const line = JSON.parse(readFileSync(log, 'utf8').split('\n')[0]!)
  assert.equal(line.msg, 'idle is up')
  const { stdout } = await project.covey('token')
  assert.equal(stdout, readFileSync(join(covey, 'run/token'), 'utf8'))
  const headers = { authorization: `Bearer ${stdout.trim()}` }
  assert.equal((await fetch(`${record.url}/api/processes`, { headers })).status, 200)
})

test('a second start in the same folder is told who runs', async (t) => {
  const project = await fleetProject(t, { processes: { idle } })
  const fleet = await up(project)
  const second = await project.covey('start')
  assert.equal(second.code, 1)
  assertOneLine(
    second.stderr,
    new RegExp(
      `runs here already, with pid ${fleet.process.pid}; its console is http://127.0.0.1:${project.port}`,
    ),
  )
  assert.equal((await statusOf(project))['idle-0']?.restarts, 0)
})

test('Ctrl-C drains and exits with 0, also when a wrapper sends it twice', async (t) => {
  const script = `
    process.on('SIGTERM', () => setTimeout(() => { console.log('drained'); process.exit(0) }, 600))
    setInterval(() => {}, 1000)
    console.log('listening')`
  const project = await fleetProject(t, { processes: { slow: { health: 'none', script } } })
  const fleet = await up(project)
  await fleet.says('listening')
  fleet.process.kill('SIGINT')
  await fleet.says('stopping')
  fleet.process.kill('SIGINT')
  const { code, stdout, stderr } = await fleet.end
  assert.equal(code, 0)
  assert.match(stdout, /drained/)
  assert.equal(stderr, '')
})

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

test('stop works without the API', async (t) => {
  const project = await fleetProject(t, { processes: { idle } })
  const fleet = await up(project)
  rmSync(join(project.folder, '.covey', 'run', 'token'))
  assert.deepEqual(await project.covey('stop'), {
    code: 0,
    stdout: 'the fleet "test" has stopped\n',
    stderr: '',
  })
  assert.equal((await fleet.end).code, 0)
})

test('a process with bad settings ends the start with its own words', async (t) => {
  const script = `console.error('settings: user.port: expected a number, got "x"'); process.exit(78)`
  const project = await fleetProject(t, { processes: { idle, user: { script } } })
  const { code, stdout, stderr } = await project.covey('start')
  assert.equal(code, 1)
  assertOneLine(
    stderr,
    /^covey: user-0 cannot start: settings: user.port: expected a number, got "x"$/m,
  )
  assert.match(stdout, /idle-0 has stopped/)
  assert.doesNotMatch(stdout, /Console:/)
  assert.deepEqual(readdirSync(join(project.folder, '.covey', 'run')), ['token'])
})

test('a port of a process in use ends the start in the same way', async (t) => {
  const server = createServer().listen(await freePort(), '127.0.0.1')
  t.after(() => server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const project = await fleetProject(t, {
    processes: { app: { ...app, env: { COVEY__PORT: `${port}` } } },
  })
  const { code, stdout, stderr } = await project.covey('start')
  assert.equal(code, 1)
  assertOneLine(
    stderr,
    new RegExp(`^covey: app-0 cannot start: tcp://.*:${port} is in use by process ${process.pid} `),
  )
  assert.doesNotMatch(stdout, /is in use/, 'the reason is told once')
  const log = readFileSync(join(project.folder, '.covey/log/app-0.log'), 'utf8')
  assert.match(log, /app cannot start: .* is in use/)
})

test('a process that cannot start is tried again until it can, and says why once', async (t) => {
  const path = `disk-${process.pid}`
  const script = `
    import { readFileSync } from 'node:fs'
    import { createApp, defineResource } from '${coveyModule}'
    const disk = defineResource('disk', { start: () => void readFileSync('${path}') })
    await createApp({ name: 'app', resources: [disk], services: [] }).start()`
  const project = await fleetProject(t, { processes: { app: { script } } })
  const fleet = project.run(['start'])
  await fleet.says('same reason: resource "disk": ENOENT')
  await fleet.says('attempt 3')
  const output = fleet.output()
  assert.equal(output.split('app cannot start:').length, 2, output)
  assert.equal(output.split('app.ts:4:').length, 2, 'one stack')
  assert.match(output, /the fleet waits until it is ready, Ctrl-C stops everything/)
  const { stdout } = await project.covey('status')
  assert.match(stdout, /\n\napp-0 could not start: resource "disk": ENOENT: .*\n$/)
  writeFileSync(join(project.folder, path), '')
  await fleet.says('Console: ')
  assert.doesNotMatch((await project.covey('status')).stdout, /could not start/)
})

test('a port in use is one clear line', async (t) => {
  const project = await fleetProject(t, { processes: { idle } })
  const server = createServer().listen(project.port, '127.0.0.1')
  t.after(() => server.close())
  const { code, stderr } = await project.covey('start')
  assert.equal(code, 1)
  assertOneLine(
    stderr,
    new RegExp(
      `console's port ${project.port} on 127.0.0.1 is used by process ${process.pid} .*set admin.port`,
    ),
  )
})

test('a wrong config, a missing one and a wrong name are explained without a stack', async (t) => {
  const project = await fleetProject(t, { processes: { idle: { ...idle, entry: 'a/idle.ts' } } })
  rmSync(join(project.folder, 'a/idle.ts'))
  const missing = await project.covey('start')
  assert.equal(missing.code, 1)
  assert.match(missing.stderr, /processes.idle.entry: there is no file \S+\/a\/idle.ts\n$/)
  assert.doesNotMatch(missing.stderr, /\bat \S+:\d+/)

  writeFileSync(join(project.folder, 'a/idle.ts'), '')
  const only = await project.covey('start', '--only', 'idel')
  assert.equal(only.code, 1)
  assertOneLine(only.stderr, /--only: unknown process "idel", did you mean "idle"\?/)

  const nowhere = await project.covey('start', '--config', 'other.config.ts')
  assertOneLine(nowhere.stderr, /there is no config file \S+other.config.ts/)
  const debug = await project.run(['start', '-c', 'x.ts'], { env: { COVEY_DEBUG: '1' } }).end
  assert.match(debug.stderr, /\n {4}at .*load-fleet.ts/)
})

test('--only starts those and no others', async (t) => {
  const project = await fleetProject(t, {
    banner: [{ label: 'Chat', url: 'http://127.0.0.1:8090' }],
    processes: { a: idle, b: { ...idle, after: ['a'] }, c: idle },
  })
  const fleet = await up(project, '--only', 'b,c')
  assert.deepEqual(Object.keys(await statusOf(project)), ['b-0', 'c-0'])
  assert.doesNotMatch(fleet.output(), /Chat:/)
})

test('an unknown command is answered with the nearest one', async (t) => {
  const project = await fleetProject(t, { processes: { idle } })
  const { code, stderr } = await project.covey('strat')
  assert.equal(code, 1)
  assert.match(stderr, /unknown command 'strat'\n\(Did you mean start\?\)/)
  const wrong = await project.covey('logs', '-n', 'many')
  assert.equal(wrong.code, 1)
  assert.match(wrong.stderr, /It must be a whole number\.\n\(--help shows what there is\)\n$/)
  assert.match((await project.covey('--version')).stdout, /^covey \d+\.\d+\.\d+, Node v\d+/)
  assert.equal((await project.covey('token')).code, 1)
})

test('in a very deep folder the sockets move to a short path', async (t) => {
  const below = 'a-rather-long-name-of-a-folder/'.repeat(4)
  const project = await fleetProject(t, { processes: { app }, below })
  const fleet = await up(project)
  const record = JSON.parse(
    readFileSync(join(project.folder, '.covey/run/supervisor.json'), 'utf8'),
  )
  assert.deepEqual(readdirSync(record.socketFolder), ['app-0.sock'])
  assert.equal((statSync(record.socketFolder).mode & 0o777).toString(8), '700')
  fleet.process.kill('SIGTERM')
  assert.equal((await fleet.end).code, 0)
  assert.equal(existsSync(record.socketFolder), false)
})

test('colours only where they are wanted; what processes write cannot use any', async (t) => {
  const script = `${idle.script}; console.log('\\x1b[31mred ' + process.env.FORCE_COLOR)`
  const project = await fleetProject(t, { processes: { idle: { ...idle, script } } })
  const colored = project.run(['start'], { env: { FORCE_COLOR: '1' } })
  await colored.says('red undefined')
  assert.ok(colored.output().includes('\\x1b[31mred'))
  assert.ok(colored.output().includes('\x1b[36midle'))
  await project.covey('stop')
  await colored.end
  const plain = project.run(['start'], { env: { FORCE_COLOR: '1', NO_COLOR: '1' } })
  await plain.says('red undefined')
  assert.ok(!plain.output().includes('\x1b'))
})

test('a reader that takes nothing blocks neither the processes nor the stop', async (t) => {
  const done = 'written'
  const script = `
    import { writeFileSync } from 'node:fs'
    process.on('SIGTERM', () => process.exit(0))
    const line = 'x'.repeat(1000)
    for (let count = 0; count < 20_000; count++) {
      if (!process.stdout.write(line + '\\n')) await new Promise((go) => process.stdout.once('drain', go))
    }
    writeFileSync('${done}', '')
    setInterval(() => {}, 1000)`
  const project = await fleetProject(t, { processes: { loud: { health: 'none', script } } })
  const fleet = project.run(['start'])
  fleet.process.stdout?.pause()
  await until(() => existsSync(join(project.folder, done)), '20 MB are written', 30_000)
  assert.equal((await statusOf(project))['loud-0']?.state, 'running')
  assert.equal((await project.covey('stop')).code, 0)
  fleet.process.stdout?.resume()
  assert.equal((await fleet.end).code, 0)
})
