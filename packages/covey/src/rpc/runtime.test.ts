import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { Call } from '../call/call.ts'
import { defineContract } from '../contract/define-contract.ts'
import { unary } from '../contract/method.ts'
import { MemoryRegistry } from '../discovery/memory-registry.ts'
import type { Instance } from '../discovery/registry.ts'
import { CoveyError } from '../error/covey-error.ts'
import { FakeClock } from '../testing/fake-clock.ts'
import { RecordingLog } from '../testing/recording-log.ts'
import { sampleInstance } from '../testing/registry-suite.ts'
import type { Listener } from '../transport/transport.ts'
import { createClient } from './create-client.ts'
import { createRuntime, type Runtime } from './runtime.ts'

const users = defineContract('users', { who: unary({ output: z.string() }) })

/** Serves `users` in this process; it answers with the id of its instance. */
async function serve(
  runtime: Runtime,
  id: string,
  address = `memory:${id}`,
): Promise<{ instance: Instance; listener: Listener }> {
  const dispatcher = {
    instance: id,
    methods: Object.values(users.methods),
    serve: async () => id,
  }
  const { limits, clock } = runtime
  const listener = await runtime.transport(address).listen(address, dispatcher, { limits, clock })
  return { instance: sampleInstance(id, { addresses: [listener.address] }), listener }
}

test('a service of this process is preferred to those of the registry', async () => {
  const registry = new MemoryRegistry()
  await using runtime = createRuntime({ registry })
  const far = await serve(runtime, 'far')
  await registry.register(far.instance)
  const api = createClient(users, { runtime })
  assert.equal(await api.who(), 'far')
  const near = await serve(runtime, 'near')
  runtime.addLocal(near.instance)
  assert.equal(await api.who(), 'near')
  assert.equal(await api.who(undefined, { instance: 'near' }), 'near')
  assert.equal(await api.who(undefined, { instance: 'far' }), 'far')
  runtime.removeLocal(near.instance)
  assert.equal(await api.who(), 'far')
})

test('only the instance that is local is taken away', async () => {
  await using runtime = createRuntime({ registry: new MemoryRegistry() })
  const first = await serve(runtime, 'first')
  const second = await serve(runtime, 'second')
  const api = createClient(users, { runtime })
  runtime.addLocal(first.instance)
  assert.equal(await api.who(), 'first')
  runtime.addLocal(second.instance)
  runtime.removeLocal(first.instance)
  assert.equal(await api.who(), 'second')
})

test('the way to an instance of this process goes with it, when its connection has ended', async () => {
  const clock = new FakeClock()
  await using runtime = createRuntime({ registry: new MemoryRegistry(), clock })
  const { instance, listener } = await serve(runtime, 'near')
  runtime.addLocal(instance)
  const api = createClient(users, { runtime })
  assert.equal(await api.who(), 'near')
  const states = () => runtime.callees.map(({ instances }) => instances.map(({ id }) => id))
  assert.deepEqual(states(), [['near']])
  runtime.removeLocal(instance)
  await clock.advance(0)
  assert.deepEqual(states(), [['near']], 'its connection is there')
  await listener.close()
  await clock.advance(0)
  assert.deepEqual(states(), [])
  await clock.advance(60_000)
  assert.equal(clock.waiting, 0, 'nothing is tried again')
  assert.deepEqual(states(), [])
})

test('two runtimes do not meet, unless by a registry they share', async () => {
  const registry = new MemoryRegistry()
  await using one = createRuntime({ registry })
  await using other = createRuntime({ registry: 'memory:' })
  await using third = createRuntime({ registry })
  const { instance, listener } = await serve(one, 'a', 'tcp://127.0.0.1:0')
  await using _ = listener
  one.addLocal(instance)
  await (await one.registry()).register(instance)
  assert.equal(await createClient(users, { runtime: one }).who(), 'a')
  await assert.rejects(createClient(users, { runtime: other }).who(), {
    code: 'UNAVAILABLE',
    message: 'users: no instance in registry memory:',
  })
  assert.equal(await createClient(users, { runtime: third }).who(), 'a')
  await serve(one, 'b')
  const inMemory = createClient(users, { runtime: third, target: 'memory:b' })
  await assert.rejects(inMemory.who(), /memory:b: nobody listens there in this process/)
})

test('the addresses of an instance are tried in order until one answers', async () => {
  await using runtime = createRuntime({ registry: 'memory:' })
  const { instance } = await serve(runtime, 'a')
  const addresses = ['memory:elsewhere', ...instance.addresses]
  runtime.addLocal({ ...instance, addresses })
  assert.equal(await createClient(users, { runtime }).who(), 'a')
})

test('an address where another instance is now is not taken for the one that was meant', async () => {
  await using runtime = createRuntime({ registry: 'memory:' })
  const { instance } = await serve(runtime, 'new', 'memory:place')
  runtime.addLocal({ ...instance, id: 'old' })
  const api = createClient(users, { runtime })
  await assert.rejects(api.who(), /old: expected instance old, found new/)
  assert.equal(await createClient(users, { runtime, target: 'memory:place' }).who(), 'new')
})

test('clients of one target share a connection, and each service has its own way', async () => {
  await using runtime = createRuntime({ registry: 'memory:' })
  const { listener } = await serve(runtime, 'a')
  const target = 'memory:a'
  for (let count = 0; count < 3; count++) await createClient(users, { runtime, target }).who()
  assert.equal(listener.connections, 1)
  assert.equal(runtime.channelTo(target, 'users'), runtime.channelTo(target, 'users'))
  assert.equal(runtime.channel('users'), runtime.channel('users'))
  assert.notEqual(runtime.channel('users'), runtime.channel('rooms'))
})

test('an error names the service that was called, figures the address that services share', async () => {
  await using runtime = createRuntime({ registry: 'memory:' })
  const groups = defineContract('groups', { who: unary({ output: z.string() }) })
  const target = 'memory:nobody'
  for (const contract of [users, groups]) {
    await assert.rejects(createClient(contract, { runtime, target }).who(), (error: CoveyError) => {
      assert.match(error.message, new RegExp(`^${contract.name}: memory:nobody: nobody listens`))
      assert.equal((error.details as { service: string }).service, contract.name)
      return error.code === 'UNAVAILABLE'
    })
  }
  assert.deepEqual(
    runtime.callees.map(({ service }) => service),
    [target],
  )
})

test('a registry that cannot be opened is told as what it is', async () => {
  await using runtime = createRuntime({ registry: 'redis://me:secret@127.0.0.1:6379' })
  const api = createClient(users, { runtime })
  for (const wishes of [{}, { instance: 'a' }]) {
    await assert.rejects(api.who(undefined, wishes), (error: CoveyError) => {
      assert.equal(error.code, 'INVALID_SETTINGS')
      assert.match(
        error.message,
        /^users: registry redis:\/\/127.0.0.1:6379: .*unknown scheme redis:; known are memory: and file:/,
      )
      assert.equal((error.cause as CoveyError).code, 'INVALID_SETTINGS')
      return true
    })
  }
})

test('a scheme without a transport is refused, naming those there are', async () => {
  await using runtime = createRuntime({ registry: 'memory:' })
  assert.throws(() => runtime.channelTo('ws://127.0.0.1:1/rpc', 'users'), {
    name: 'TypeError',
    message:
      'address "ws://127.0.0.1:1/rpc": use one that begins with tcp:, unix:, memory:, http:, https:',
  })
})

test('an address that is none is refused where it is given, and told where a registry has it', async () => {
  await using runtime = createRuntime({ registry: 'memory:' })
  for (const target of ['tcp://nowhere', 'unix:', 'http://nowhere', 'tcp://h:99999']) {
    assert.throws(() => createClient(users, { runtime, target }), {
      name: 'TypeError',
      message: new RegExp(`^address "${target}": .*(host:port|path)`),
    })
  }
  const { instance } = await serve(runtime, 'a')
  for (const [address, why] of [
    ['tcp://nowhere', /^users: a: address "tcp:\/\/nowhere": use tcp:\/\/host:port/],
    ['pigeon://loft', /^users: a: address "pigeon:\/\/loft": use one that begins with/],
  ] as const) {
    await using other = createRuntime({ registry: 'memory:' })
    other.addLocal({ ...instance, addresses: [address] })
    const call = createClient(users, { runtime: other }).who(undefined, { retry: false })
    await assert.rejects(call, { code: 'UNAVAILABLE', message: why })
  }
})

test('limits that are not set have their defaults', async () => {
  await using runtime = createRuntime({ registry: 'memory:', limits: { pingMs: 7 } })
  assert.deepEqual([runtime.limits.pingMs, runtime.limits.silenceMs], [7, 3_000])
  assert.throws(() => Object.assign(runtime.limits, { pingMs: 8 }), TypeError)
})

test('what is wrong with a registry is told without its password', async () => {
  const log = new RecordingLog()
  const registry = 'pigeon://me:secret@loft'
  await using runtime = createRuntime({ registry, log })
  await assert.rejects(runtime.registry(), { code: 'INVALID_SETTINGS' })
  const error = await createClient(users, { runtime })
    .who()
    .catch((thrown: unknown) => thrown)
  assert.match((error as CoveyError).message, /registry pigeon:\/\/loft/)
  assert.equal(log.lines.length, 1)
  const { err } = log.lines[0]!.fields
  for (const shown of [error, err]) assert.doesNotMatch(String(shown), /secret/)
})

test('closing ends connections and calls, and leaves a registry that was lent', async () => {
  const registry = new MemoryRegistry()
  const runtime = createRuntime({ registry })
  const { listener, instance } = await serve(runtime, 'a')
  await registry.register(instance)
  const api = createClient(users, { runtime })
  await api.who()
  assert.equal(listener.connections, 1)
  await runtime.close()
  assert.equal(listener.connections, 0)
  const closed = { code: 'UNAVAILABLE', message: 'users: the client is closed' }
  await assert.rejects(api.who(), closed)
  assert.deepEqual(await registry.services(), ['users'])
  await runtime.close()
})

test('a call that waits for an instance when the runtime closes ends', async () => {
  const runtime = createRuntime({ registry: 'memory:' })
  const channel = runtime.channelTo('memory:nobody', 'users')
  const asked = channel.invoke(new Call(users.methods.who, undefined))
  await runtime.close()
  await assert.rejects(asked, (error) => error instanceof CoveyError)
})

test('a runtime that was never used, or whose registry is wrong, can be closed', async () => {
  await createRuntime().close()
  const runtime = createRuntime({ registry: 'pigeon:loft' })
  await assert.rejects(runtime.registry(), { code: 'INVALID_SETTINGS' })
  await runtime.close()
})

test('many ways to many services raise no warning', async () => {
  const warnings: string[] = []
  const onWarning = (warning: Error) => void warnings.push(warning.message)
  process.on('warning', onWarning)
  try {
    await using runtime = createRuntime({ registry: 'memory:' })
    for (let n = 0; n < 30; n++) {
      runtime.channel(`service-${n}`)
      runtime.channelTo(`memory:${n}`, 'users')
    }
    await new Promise((resolve) => setImmediate(resolve))
    await new Promise((resolve) => setImmediate(resolve))
    assert.deepEqual(warnings, [])
  } finally {
    process.off('warning', onWarning)
  }
})
