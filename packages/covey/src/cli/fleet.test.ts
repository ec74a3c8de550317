import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fleetProject } from '../testing/fleet-project.ts'
import { app, assertOneLine, idle, statusOf, up } from '../testing/fleet-scripts.ts'
import { until } from '../testing/until.ts'

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

test('--only starts those and no others', async (t) => {
  const project = await fleetProject(t, {
    banner: [{ label: 'Chat', url: 'http://127.0.0.1:8090' }],
    processes: { a: idle, b: { ...idle, after: ['a'] }, c: idle },
  })
  const fleet = await up(project, '--only', 'b,c')
  assert.deepEqual(Object.keys(await statusOf(project)), ['b-0', 'c-0'])
  assert.doesNotMatch(fleet.output(), /Chat:/)
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
