import assert from 'node:assert/strict'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createClient } from '../rpc/create-client.ts'
import { createRuntime } from '../rpc/runtime.ts'
import { jobs } from '../testing/fixtures/jobs-contract.ts'
import { serveJobs } from '../testing/jobs-app.ts'
import { createMemoryTransport } from '../transport/memory/memory-transport.ts'
import type { Transport } from '../transport/transport.ts'

/** A transport that the framework does not know. */
function carrierTransport(protocol = 'carrier'): Transport {
  return {
    ...createMemoryTransport(),
    protocol,
    check(address) {
      if (!/^carrier:\w+$/.test(address)) throw new TypeError(`"${address}": write carrier:name`)
    },
  }
}

test('an application takes calls at further addresses, and lets go of them', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'covey-listen-'))
  const path = join(folder, 'jobs.sock')
  await using runtime = createRuntime({
    registry: 'memory:',
    transports: [carrierTransport()],
  })
  const listen = [`unix:${path}`, 'carrier:jobs']
  const { app } = await serveJobs(runtime, { listen })
  await using _ = app
  assert.match(app.instance.addresses[0]!, /^tcp:/)
  assert.deepEqual(app.instance.addresses.slice(1), listen)
  assert.equal((await stat(path)).mode & 0o777, 0o600)
  for (const target of listen) {
    assert.equal(await createClient(jobs, { target, runtime }).echo(target), target)
  }
  await app.stop()
  for (const target of listen) {
    const refused = createClient(jobs, { target, runtime }).echo(1, { timeoutMs: 2_000 })
    await assert.rejects(refused, { code: 'UNAVAILABLE' })
  }
  await assert.rejects(stat(path), { code: 'ENOENT' })
  const wrong = { target: 'carrier:', runtime }
  assert.throws(() => createClient(jobs, wrong), new TypeError('"carrier:": write carrier:name'))
  await rm(folder, { recursive: true })
})

test('what it cannot listen at is told before anything is announced', async () => {
  await using runtime = createRuntime({ registry: 'memory:', transports: [carrierTransport()] })
  const cases: [string, RegExp][] = [
    ['tcp://0.0.0.0:4100', /^covey\.listen "tcp:.*set covey\.host and covey\.port/],
    ['http://127.0.0.1:80', /covey\.http\.port/],
    ['memory:x', /listen is for unix:\/path and transports of your own/],
    ['pigeon:roof', /^covey\.listen: address "pigeon:roof": use one that begins with .*carrier:/],
    ['carrier:', /^covey\.listen: "carrier:": write carrier:name/],
  ]
  for (const [address, message] of cases) {
    const started = serveJobs(runtime, { listen: [address] })
    await assert.rejects(started, { code: 'INVALID_SETTINGS', message })
  }
  const registry = await runtime.registry()
  assert.deepEqual(await registry.services(), [])
})

test('a transport has a scheme of its own', () => {
  for (const protocol of ['tcp', 'tls', 'https', 'unix', 'memory']) {
    const given = { transports: [carrierTransport(protocol)] }
    assert.throws(
      () => createRuntime(given),
      new TypeError(`transports: there is one for ${protocol}: already`),
    )
  }
  const twice = { transports: [carrierTransport(), carrierTransport()] }
  assert.throws(() => createRuntime(twice), /there is one for carrier: already/)
  const odd = { transports: [carrierTransport('No Scheme')] }
  assert.throws(() => createRuntime(odd), /"No Scheme" is no scheme of a URL/)
})
