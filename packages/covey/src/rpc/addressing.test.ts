import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { createApp } from '../app/create-app.ts'
import type { RoutingOptions } from '../call/routing.ts'
import { defineContract } from '../contract/define-contract.ts'
import { defineService } from '../contract/define-service.ts'
import { unary } from '../contract/method.ts'
import { MemoryRegistry } from '../discovery/memory-registry.ts'
import type { CoveyError } from '../error/covey-error.ts'
import { freePort } from '../testing/free-port.ts'
import { LocalFleet, whoami } from '../testing/local-fleet.ts'
import { sampleInstance } from '../testing/registry-suite.ts'
import { until } from '../testing/until.ts'
import { createClient } from './create-client.ts'
import { createRuntime } from './runtime.ts'

type Api = ReturnType<typeof createClient<typeof whoami>>

/** Who answers calls with these wishes, each once, sorted. */
async function answering(api: Api, wishes: RoutingOptions = {}, calls = 60): Promise<string> {
  const names = Array.from({ length: calls }, () => api.name(undefined, wishes))
  return [...new Set(await Promise.all(names))].sort().join(' ')
}

/** A fleet of four, all of them connected. */
async function fourServers() {
  const fleet = new LocalFleet()
  const apps = {
    a: await fleet.start('a', { group: 'canary', version: '2.1.0', zone: 'eu', tags: ['gpu'] }),
    b: await fleet.start('b', { group: 'canary', version: '2.0.4', zone: 'us' }),
    c: await fleet.start('c', { version: '20.0.0', zone: 'eu', tags: ['gpu', 'large'] }),
    d: await fleet.start('d'),
  }
  const api = createClient(whoami, { runtime: fleet.runtime, balance: 'roundRobin' })
  await until(async () => (await answering(api)) === 'a b c d', 'all are connected')
  return { fleet, apps, api, [Symbol.asyncDispose]: () => fleet[Symbol.asyncDispose]() }
}

test('a call goes only to instances that fit all of its wishes', async () => {
  await using servers = await fourServers()
  const { api, apps } = servers
  const expected: [RoutingOptions, string][] = [
    [{}, 'a b c d'],
    [{ group: 'canary' }, 'a b'],
    [{ version: '2' }, 'a b'],
    [{ version: '2.1' }, 'a'],
    [{ version: '20.0.0' }, 'c'],
    [{ zone: 'eu' }, 'a c'],
    [{ tag: 'gpu' }, 'a c'],
    [{ tag: ['gpu', 'large'] }, 'c'],
    [{ tag: [] }, 'a b c d'],
    [{ group: 'canary', zone: 'us' }, 'b'],
    [{ instance: apps.d.instance.id }, 'd'],
    [{ instance: apps.a.instance.id, group: 'canary' }, 'a'],
  ]
  for (const [wishes, names] of expected) {
    assert.equal(await answering(api, wishes), names, JSON.stringify(wishes))
  }
})

test('the wishes of a client count for its calls, and those of a call win', async () => {
  await using servers = await fourServers()
  const { runtime } = servers.fleet
  const canary = createClient(whoami, { runtime, group: 'canary', balance: 'roundRobin' })
  assert.equal(await answering(canary), 'a b')
  assert.equal(await answering(canary, { zone: 'eu' }), 'a')
  const eu = createClient(whoami, { runtime, zone: 'eu', tag: 'gpu', balance: 'roundRobin' })
  assert.equal(await answering(eu), 'a c')
  assert.equal(await answering(eu, { zone: 'us', tag: [] }), 'b')
})

test('nobody fits: it fails at once, with what was asked and what there is', async () => {
  await using servers = await fourServers()
  const startMs = performance.now()
  await assert.rejects(
    servers.api.name(undefined, { group: 'blue', version: '3', tag: ['a', 'b'] }),
    (error: CoveyError) => {
      assert.equal(error.code, 'UNAVAILABLE')
      assert.match(
        error.message,
        /^whoami \(group blue, version 3, tags a \+ b\): none of the 4 in the registry fits; there are instances a-.*; groups canary; versions 2\.0\.4, 2\.1\.0, 20\.0\.0; zones eu, us; tags gpu, large$/,
      )
      const { asked, there } = error.details as Record<string, Record<string, unknown>>
      assert.deepEqual(asked, { group: 'blue', version: '3', tags: ['a', 'b'] })
      assert.deepEqual(there?.zones, ['eu', 'us'])
      return true
    },
  )
  assert.ok(performance.now() - startMs < 500)
})

test('an instance that changes its group is found by the new one', async () => {
  await using fleet = new LocalFleet()
  const lease = await fleet.registry.register(sampleInstance('other', { services: ['whoami'] }))
  const a = await fleet.start('a', { group: 'blue' })
  const api = createClient(whoami, { runtime: fleet.runtime })
  assert.equal(await api.name(undefined, { group: 'blue' }), 'a')
  await lease.update(
    sampleInstance('other', { services: ['whoami'], group: 'green', addresses: [a.address] }),
  )
  // It is there by its label now, but somebody else listens at its address.
  const green = () => api.name(undefined, { group: 'green', timeoutMs: 500 })
  await until(
    () =>
      green().then(
        () => false,
        (error: CoveyError) => error.message.includes('other'),
      ),
    'the new group is known',
  )
  await assert.rejects(green(), { code: 'UNAVAILABLE' })
})

test('a key goes to the same instance in every process, and moves only when that one goes', async () => {
  await using servers = await fourServers()
  const { api, fleet, apps } = servers
  await using elsewhere = createRuntime({ registry: fleet.registry })
  const other = createClient(whoami, { runtime: elsewhere, balance: 'roundRobin' })
  await until(async () => (await answering(other)) === 'a b c d', 'all are connected there too')
  const keys = Array.from({ length: 40 }, (_, n) => `user-${n}`)
  const owners = () => Promise.all(keys.map((key) => api.name(undefined, { key })))
  const before = await owners()
  assert.deepEqual([...new Set(before)].sort(), ['a', 'b', 'c', 'd'])
  assert.deepEqual(await owners(), before)
  assert.deepEqual(await Promise.all(keys.map((key) => other.name(undefined, { key }))), before)
  for (const key of keys) {
    assert.match(await api.name(undefined, { key, group: 'canary' }), /^[ab]$/)
  }
  await apps.c.stop()
  const after = await owners()
  for (const [index, owner] of before.entries()) {
    if (owner === 'c') assert.notEqual(after[index], 'c')
    else assert.equal(after[index], owner)
  }
})

test('a key is for the whole service, also for a process that serves it itself', async () => {
  await using fleet = new LocalFleet()
  const { runtime } = fleet
  await fleet.start('a')
  await fleet.start('b')
  await using own = createApp({
    name: 'own',
    group: 'mine',
    services: [
      defineService(whoami, { name: (_, call) => `own by ${call.peer.protocol}`, hang() {} }),
    ],
    runtime,
    ownsProcess: false,
    overrides: { covey: { logLevel: 'silent', drainWaitMs: 0 } },
  })
  await own.start()
  const api = createClient(whoami, { runtime })
  assert.equal(await answering(api), 'own by memory')
  assert.equal(await answering(api, { group: 'mine' }), 'own by memory')
  await assert.rejects(api.name(undefined, { group: 'yours' }), { code: 'UNAVAILABLE' })
  const byKeys = async () => {
    const keys = Array.from({ length: 50 }, (_, n) => `k${n}`)
    return new Set(await Promise.all(keys.map((key) => api.name(undefined, { key }))))
  }
  await until(async () => (await byKeys()).size === 3, 'all three have keys')
  assert.deepEqual(await byKeys(), new Set(['a', 'b', 'own by memory']))
})

test('two clients for different targets, groups or instances never mix', async () => {
  await using fleet = new LocalFleet()
  const { runtime } = fleet
  const a = await fleet.start('a', { group: 'one' })
  const b = await fleet.start('b', { group: 'two' })
  const pairs = [
    [{ target: a.address }, { target: b.address }],
    [{ group: 'one' }, { group: 'two' }],
    [{ instance: a.instance.id }, { instance: b.instance.id }],
  ]
  for (const [forA, forB] of pairs) {
    const toA = createClient(whoami, { runtime, ...forA })
    const toB = createClient(whoami, { runtime, ...forB })
    const calls = Array.from({ length: 500 }, async (_, n) => {
      const name = await (n % 2 === 0 ? toA : toB).name()
      assert.equal(name, n % 2 === 0 ? 'a' : 'b')
    })
    await Promise.all(calls)
  }
})

test('a client with a target and an instance is refused by anybody else at that address', async () => {
  await using fleet = new LocalFleet()
  const { runtime } = fleet
  const a = await fleet.start('a')
  const target = a.address
  const right = createClient(whoami, { runtime, target, instance: a.instance.id })
  assert.equal(await right.name(), 'a')
  const wrong = createClient(whoami, { runtime, target, instance: 'a-gone' })
  await assert.rejects(wrong.name(), {
    code: 'UNAVAILABLE',
    message: /^whoami \(instance a-gone\): none of the 1/,
  })
})

test('another server on the port of one that is gone gets none of its calls', async () => {
  await using fleet = new LocalFleet()
  const port = await freePort()
  const old = await fleet.start('old', {}, port)
  const api = createClient(whoami, { runtime: fleet.runtime })
  assert.equal(await api.name(), 'old')
  // Its entry stays, as that of a machine that was cut off, and another one has its address now.
  const stale = await fleet.registry.register({ ...old.instance, id: 'old-entry' })
  await old.stop()
  const next = await fleet.start('next', { group: 'new' }, port)
  const why = () => {
    const asked = api.name(undefined, { instance: 'old-entry' })
    return asked.then(String, ({ code, message }: CoveyError) => `${code} ${message}`)
  }
  const found = new RegExp(`^UNAVAILABLE .*old-entry is not here; this is ${next.instance.id}`)
  await until(async () => found.test(await why()), 'the other one was met and left')
  const orNobody = () => api.name().catch(() => 'nobody')
  await until(async () => (await orNobody()) === 'next', 'the new one is found')
  assert.equal(await answering(api), 'next')
  await stale.release()
})

test('a list of fixed addresses needs no registry: calls are balanced, and go on where one is gone', async () => {
  await using fleet = new LocalFleet()
  const apps = [await fleet.start('a'), await fleet.start('b'), await fleet.start('c')]
  const target = apps.map(({ address }) => address)
  await using runtime = createRuntime({ registry: 'memory:' })
  const api = createClient(whoami, { runtime, target, balance: 'roundRobin' })
  await until(async () => (await answering(api)) === 'a b c', 'all are connected')
  const ticket = await api.name.submit(undefined, { instance: apps[1]!.instance.id })
  assert.equal(await ticket.result(), 'b')
  await apps[0]!.stop()
  assert.equal(await answering(api), 'b c')
  const same = createClient(whoami, { runtime, target: [...target, target[0]!] })
  assert.equal(await answering(same), 'b c')
  for (const wrong of [[], ['tcp://host'], [target[0]!, 'ftp://host:1']]) {
    assert.throws(() => createClient(whoami, { runtime, target: wrong }), TypeError)
  }
})

test('a handler spreads work over all instances of its own service, by keys', async () => {
  const sums = defineContract('sums', {
    part: unary({
      input: z.array(z.number()),
      output: z.object({ sum: z.number(), by: z.string() }),
    }),
    all: unary({
      input: z.array(z.number()),
      output: z.object({ sum: z.number(), by: z.array(z.string()) }),
    }),
  })
  await using stack = new AsyncDisposableStack()
  const registry = new MemoryRegistry()
  const start = async (name: string) => {
    const runtime = stack.use(createRuntime({ registry }))
    const own = createClient(sums, { runtime })
    const service = defineService(sums, {
      part: (numbers) => ({ sum: numbers.reduce((sum, n) => sum + n, 0), by: name }),
      async all(numbers) {
        const parts = await Promise.all(numbers.map((n) => own.part([n], { key: String(n) })))
        const by = [...new Set(parts.map((part) => part.by))].sort()
        return { sum: parts.reduce((sum, part) => sum + part.sum, 0), by }
      },
    })
    const overrides = { covey: { logLevel: 'silent', drainWaitMs: 0 } }
    const options = { services: [service], runtime, overrides, ownsProcess: false }
    const app = createApp({ name, ...options })
    await app.start()
    stack.defer(() => app.stop())
    return createClient(sums, { runtime })
  }
  const [api] = [await start('a'), await start('b'), await start('c')]
  const numbers = Array.from({ length: 60 }, (_, n) => n)
  await until(async () => (await api!.all(numbers)).by.length === 3, 'all of them work')
  assert.deepEqual(await api!.all(numbers), { sum: 1_770, by: ['a', 'b', 'c'] })
})
