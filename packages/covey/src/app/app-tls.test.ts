import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { CoveyError } from '../error/covey-error.ts'
import { createClient } from '../rpc/create-client.ts'
import { createRuntime } from '../rpc/runtime.ts'
import { createTestAuthority } from '../testing/test-authority.ts'
import { who, whoApp } from '../testing/who-app.ts'
import { fixedCredentials } from '../transport/tls/tls-credentials.ts'
import type { AppOptions } from './app.ts'

const authority = createTestAuthority()
const gateway = fixedCredentials({
  ...authority.issue({ spiffe: 'spiffe://fleet.test/gateway' }),
  ca: authority.ca,
})

async function withFiles(use: (tls: object) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'covey-app-tls-'))
  const tls = { cert: join(folder, 'c'), key: join(folder, 'k'), ca: join(folder, 'a') }
  const own = authority.issue({ spiffe: 'spiffe://fleet.test/who' })
  await writeFile(tls.cert, own.cert)
  await writeFile(tls.key, own.key)
  await writeFile(tls.ca, authority.ca)
  try {
    await use(tls)
  } finally {
    await rm(folder, { recursive: true })
  }
}

test('an application with a certificate in its settings listens with TLS and knows its callers', () =>
  withFiles(async (tls) => {
    await using runtime = createRuntime({ registry: 'memory:' })
    await using app = whoApp(runtime, { tls, host: '0.0.0.0' })
    await app.start()
    assert.match(app.address, /^tls:\/\/(?!0\.0\.0\.0).+:\d+$/)
    const target = app.address
    await using known = createRuntime({ registry: 'memory:', tls: gateway })
    assert.equal(
      await createClient(who, { target, runtime: known }).am(),
      'spiffe://fleet.test/gateway',
    )
    await using unknown = createRuntime({ registry: 'memory:' })
    assert.throws(() => unknown.transport(target), /set covey\.tls \(cert, key and ca\) to use it/)
  }))

test('its clients find it in the registry and secure the connection', () =>
  withFiles(async (tls) => {
    await using server = createRuntime({ registry: 'memory:', tls })
    await using app = whoApp(server)
    await app.start()
    await using caller = createRuntime({ registry: await server.registry(), tls: gateway })
    assert.equal(await createClient(who, { runtime: caller }).am(), 'spiffe://fleet.test/gateway')
  }))

test('keys and certificates together ask for both', () =>
  withFiles(async (tls) => {
    const keys = [{ id: 'may', secret: 'sesame-of-may-0123456789-0123456789' }]
    await using runtime = createRuntime({ registry: 'memory:', tls, keys })
    await using app = whoApp(runtime)
    await app.start()
    await using both = createRuntime({ registry: 'memory:', tls: gateway, keys })
    const wishes = { target: app.address }
    // A key is shared by many, a certificate names one.
    const asked = createClient(who, { ...wishes, runtime: both }).am()
    assert.equal(await asked, 'spiffe://fleet.test/gateway')
    await using one = createRuntime({ registry: 'memory:', tls: gateway })
    const refused = createClient(who, { ...wishes, runtime: one }).am()
    await assert.rejects(refused, /takes only clients with a key/)
  }))

test('the port for calls over HTTP speaks TLS as well, and knows its callers by their certificates', () =>
  withFiles(async (tls) => {
    await using runtime = createRuntime({ registry: 'memory:' })
    await using app = whoApp(runtime, { tls, host: '0.0.0.0', http: { port: 0 } })
    await app.start()
    const target = app.instance.addresses[1]!
    assert.match(target, /^https:\/\/(?!0\.0\.0\.0).+:\d+$/)
    await using known = createRuntime({ registry: 'memory:', tls: gateway })
    const asked = createClient(who, { target, runtime: known }).am()
    assert.equal(await asked, 'spiffe://fleet.test/gateway')
    await using unknown = createRuntime({ registry: 'memory:' })
    const refused = createClient(who, { target, runtime: unknown }).am(undefined, {
      timeoutMs: 500,
    })
    await assert.rejects(refused, /the certificate of the server is refused/)
  }))

test('a port without TLS needs to know who asks by a token, and stays on this machine', () =>
  withFiles(async (tls) => {
    const http = { port: 0, tls: false }
    const asked = { authenticate }
    const wrong: [settings: object, http: AppOptions['http'] & object, message: RegExp][] = [
      [{ tls, http }, {}, /covey\.http\.port: certificates cannot be proved without TLS/],
      [{ tls, http: { ...http, host: '0.0.0.0' } }, asked, /covey\.http\.host 0\.0\.0\.0/],
      [{ http: { ...http, tls: true } }, asked, /covey\.http\.tls: set covey\.tls/],
    ]
    for (const [settings, http, message] of wrong) {
      await using runtime = createRuntime({ registry: 'memory:' })
      await using app = whoApp(runtime, settings, { http })
      await assert.rejects(app.start(), { code: 'INVALID_SETTINGS', message })
    }
    await using runtime = createRuntime({ registry: 'memory:' })
    await using app = whoApp(runtime, { tls, http }, { http: asked })
    await app.start()
    assert.match(app.instance.addresses[1]!, /^http:\/\/127\.0\.0\.1:\d+$/)
  }))

const authenticate = async () => ({ subject: 'ada', claims: {} })

test('half a setting, or files that cannot be read, end the start', () =>
  withFiles(async (tls) => {
    const wrong: [object, RegExp][] = [
      [{ ...tls, key: undefined }, /covey\.tls: key missing; all of cert, key and ca are needed/],
      [{ ...tls, ca: '/nowhere/ca.pem' }, /covey\.tls\.ca: ENOENT/],
    ]
    for (const [settings, message] of wrong) {
      await using runtime = createRuntime({ registry: 'memory:' })
      await using app = whoApp(runtime, { tls: settings })
      await assert.rejects(app.start(), (error: CoveyError) => {
        assert.equal(error.code, 'INVALID_SETTINGS')
        assert.match(error.message, message)
        return true
      })
    }
  }))
