import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { systemClock } from '../../base/clock.ts'
import { frameworkSettings } from '../../settings/framework-settings.ts'
import { loadSettings } from '../../settings/load-settings.ts'
import { FakeClock } from '../../testing/fake-clock.ts'
import { freePort } from '../../testing/free-port.ts'
import { RecordingLog } from '../../testing/recording-log.ts'
import { firstWord, openProbe } from './open-probe.ts'

async function open(probe: { port?: number; host?: string }) {
  const overrides = { covey: { probe, logLevel: 'silent' } } as const
  const { covey } = await loadSettings([frameworkSettings], { env: {}, files: [], overrides })
  const log = new RecordingLog()
  return { log, probe: await openProbe(covey, { app: 'a', clock: systemClock, log }) }
}

async function ask(address: string, path: string) {
  const response = await fetch(`${address}${path}`)
  return [response.status, await response.json()]
}

/** How many threads this process has beside its own one. */
function threads(): number {
  return (process.report.getReport() as { workers: unknown[] }).workers.length
}

test('no port, no thread', async () => {
  assert.equal((await open({})).probe, undefined)
})

test('answers what the application says of itself', async () => {
  const { probe } = await open({ port: 0 })
  assert.match(probe!.address, /^http:\/\/127\.0\.0\.1:\d+$/)
  assert.deepEqual(await ask(probe!.address, '/ready'), [503, { ready: false, reason: 'starting' }])
  assert.deepEqual(await ask(probe!.address, '/live'), [200, { live: true }])
  probe!.state = 'ready'
  assert.deepEqual(await ask(probe!.address, '/ready?verbose'), [200, { ready: true }])
  probe!.state = 'draining'
  assert.deepEqual(await ask(probe!.address, '/ready'), [503, { ready: false, reason: 'draining' }])
  await probe!.close()
})

test('is gone without a trace when it is closed, connections included', async () => {
  const port = await freePort()
  for (let round = 0; round < 3; round++) {
    const { probe, log } = await open({ port })
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    assert.equal(threads(), 1)
    const gone = new Promise((resolve) => socket.on('error', () => {}).once('close', resolve))
    await probe!.close()
    await probe!.close()
    await gone
    assert.deepEqual(log.messages('error'), [])
  }
  assert.equal(threads(), 0)
})

test('a port that is taken is told as such, and leaves nothing behind', async () => {
  const { probe } = await open({ port: 0 })
  const port = Number(new URL(probe!.address).port)
  await assert.rejects(open({ port }), {
    code: 'ADDRESS_IN_USE',
    message: new RegExp(`^covey.probe: http://127.0.0.1:${port} is in use`),
  })
  await assert.rejects(open({ port: 0, host: 'no.such.host.invalid' }), { code: 'START_FAILED' })
  await probe!.close()
})

test('a thread that dies or is silent before it listens does not hold a start for ever', async () => {
  const run = (code: string) => new Worker(code, { eval: true })
  await assert.rejects(firstWord(run('process.exit(7)'), systemClock), {
    code: 'START_FAILED',
    message: 'covey.probe: its thread ended with code 7 before it listened',
  })
  await assert.rejects(firstWord(run('throw new Error("no luck")'), systemClock), {
    code: 'START_FAILED',
    message: 'covey.probe: its thread cannot start: no luck',
  })
  const clock = new FakeClock()
  const silent = firstWord(run('setInterval(() => {}, 1_000)'), clock)
  await Promise.all([
    clock.advance(10_000),
    assert.rejects(silent, {
      code: 'START_FAILED',
      message: 'covey.probe: its thread did not listen within 10000 ms',
    }),
  ])
  assert.equal(threads(), 0)
})

test('strangers who say nothing are sent away', async () => {
  const { probe } = await open({ port: 0 })
  const { port } = new URL(probe!.address)
  const silent = connect(Number(port), '127.0.0.1')
  const gone = once(silent.resume(), 'close')
  await gone
  await probe!.close()
})
