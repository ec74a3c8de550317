import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { fleetProject } from '../testing/fleet-project.ts'
import { app, assertOneLine, coveyModule, idle } from '../testing/fleet-scripts.ts'
import { freePort } from '../testing/free-port.ts'

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
