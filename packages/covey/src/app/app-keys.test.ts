import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { inspect } from 'node:util'
import type { CoveyError } from '../error/covey-error.ts'
import { createClient } from '../rpc/create-client.ts'
import { health } from '../rpc/health.ts'
import { reflect } from '../rpc/reflect.ts'
import { createRuntime } from '../rpc/runtime.ts'
import { stats } from '../rpc/stats.ts'
import { createTestAuthority } from '../testing/test-authority.ts'
import { who, whoApp } from '../testing/who-app.ts'
import { fixedCredentials } from '../transport/tls/tls-credentials.ts'

const may = { id: 'may', secret: 'sesame-of-may-0123456789-0123456789' }
const june = { id: 'june', secret: 'sesame-of-june-0123456789-0123456789', subject: 'billing' }

/** Asks a fixed address by a runtime of its own. */
async function ask(target: string, keys?: (typeof may)[]): Promise<string> {
  await using runtime = createRuntime({ registry: 'memory:', ...(keys && { keys }) })
  const api = createClient(who, { target, runtime })
  return await api.am(undefined, { timeoutMs: 2_000 }).catch(({ code, message }: CoveyError) => {
    assert.doesNotMatch(message, /sesame/)
    return `${code}: ${message}`
  })
}

test('an application with keys in its settings takes those who have one of them', async () => {
  await using runtime = createRuntime({ registry: 'memory:' })
  await using app = whoApp(runtime, { keys: [may, june] })
  await app.start()
  assert.equal(await ask(app.address, [may]), 'key:may')
  assert.equal(await ask(app.address, [june]), 'billing')
  const without = await ask(app.address)
  assert.match(without, /^UNAVAILABLE.*takes only clients with a key.*set covey\.keys/s)
  const wrong = await ask(app.address, [{ ...may, secret: june.secret }])
  assert.match(wrong, /^UNAVAILABLE.*does not have the secret of key "may"/s)
})

test('its own clients use its keys, and refuse a server without', async () => {
  await using guarded = createRuntime({ registry: 'memory:', keys: [may] })
  await using open = createRuntime({ registry: 'memory:' })
  await using app = whoApp(open)
  await app.start()
  assert.equal(await ask(app.address), 'nobody')
  const api = createClient(who, { target: app.address, runtime: guarded })
  await assert.rejects(
    api.am(undefined, { timeoutMs: 2_000 }),
    /did not prove that it has key "may"/,
  )
})

test('nothing that an application shows of itself shows a secret', async () => {
  const authority = createTestAuthority()
  const tls = fixedCredentials({ ...authority.issue({ ips: ['127.0.0.1'] }), ca: authority.ca })
  await using runtime = createRuntime({ registry: 'memory:', keys: [may], tls })
  await using app = whoApp(runtime)
  await app.start()
  const all = { depth: 20, showHidden: true, getters: true } as const
  const shown = [
    inspect([app, app.instance, runtime, runtime.links('tls:'), runtime.keys], all),
    JSON.stringify([app.instance, runtime.links('tls:'), runtime.keys]),
  ]
  const target = app.address
  const asked = await Promise.all([
    createClient(reflect, { target, runtime }).contracts(),
    createClient(health, { target, runtime }).check(),
    createClient(stats, { target, runtime }).read(),
  ])
  shown.push(...asked.map((answer) => JSON.stringify(answer)))
  const secrets = ['sesame', tls.current.material.key.split('\n')[1]!]
  for (const text of shown) {
    assert.ok(text.length > 20)
    for (const secret of secrets) assert.ok(!text.includes(secret), text)
  }
})

test('keys are replaced while calls go on', async () => {
  await using runtime = createRuntime({ registry: 'memory:', keys: [may] })
  await using app = whoApp(runtime)
  await app.start()
  await using caller = createRuntime({ registry: 'memory:', keys: [may] })
  const api = createClient(who, { target: app.address, runtime: caller })
  assert.equal(await api.am(), 'key:may')
  runtime.keys!.replace([june, may])
  caller.keys!.replace([june, may])
  runtime.keys!.replace([june])
  // The connection is the old one.
  assert.equal(await api.am(), 'key:may')
  assert.equal(await ask(app.address, [june]), 'billing')
  assert.match(await ask(app.address, [may]), /key "may" is not known here/)
})

test('the control socket of the supervisor needs no key', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'covey-keys-'))
  const before = process.env.COVEY_CONTROL
  process.env.COVEY_CONTROL = join(folder, 'control.sock')
  try {
    await using runtime = createRuntime({ registry: 'memory:', keys: [may] })
    await using app = whoApp(runtime)
    await app.start()
    await using prober = createRuntime({ registry: 'memory:' })
    const api = createClient(health, { target: `unix:${folder}/control.sock`, runtime: prober })
    assert.equal((await api.check()).app, 'who')
  } finally {
    if (before === undefined) delete process.env.COVEY_CONTROL
    else process.env.COVEY_CONTROL = before
    await rm(folder, { recursive: true })
  }
})

test('an address that others reach needs a guard, or the word that it needs none', async () => {
  for (const [covey, starts] of [
    [{ host: '0.0.0.0' }, false],
    [{ host: '0.0.0.0', keys: [may] }, true],
    [{ host: '0.0.0.0', allowInsecure: true }, true],
  ] as const) {
    await using runtime = createRuntime({ registry: 'memory:' })
    await using app = whoApp(runtime, covey)
    if (starts) await app.start()
    else
      await assert.rejects(app.start(), {
        code: 'INVALID_SETTINGS',
        message: /covey\.keys or covey\.tls/,
      })
  }
})

test('wrong keys end the start with the key that is wrong', async () => {
  await using runtime = createRuntime({ registry: 'memory:' })
  await using app = whoApp(runtime, { keys: [{ id: 'short', secret: 'sesame' }] })
  await assert.rejects(app.start(), (error: CoveyError) => {
    assert.equal(error.code, 'INVALID_SETTINGS')
    assert.match(error.message, /key "short" has 6 characters/)
    return true
  })
  await using misspelt = whoApp(runtime, { keys: [{ id: 'a', secrets: may.secret }] })
  await assert.rejects(misspelt.start(), (error: CoveyError) => {
    assert.equal(error.code, 'INVALID_SETTINGS')
    assert.doesNotMatch(error.message, /sesame/)
    return true
  })
})
