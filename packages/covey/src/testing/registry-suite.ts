import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Instance, Registry } from '../discovery/registry.ts'
import { ListReader } from './list-reader.ts'
import { until } from './until.ts'

/** One place where instances are kept, empty at first. */
export interface RegistryStore extends AsyncDisposable {
  /** A registry object on this place, as another process would have one. */
  open(): Promise<Registry>
}

/** What the suite asks of a driver. */
export interface RegistrySuiteOptions {
  /** Makes a store of its own for each test. */
  store(): Promise<RegistryStore>
}

/** An instance of the service `users`, with whatever a test changes about it. */
export function sampleInstance(id: string, changes: Partial<Instance> = {}): Instance {
  return {
    id,
    app: 'user',
    services: ['users'],
    addresses: ['tcp://127.0.0.1:4100'],
    weight: 1,
    state: 'up',
    startedAtMs: 1_700_000_000_000,
    ...changes,
  }
}

/**
 * The tests that every registry passes: what is promised in `discovery/registry.ts`.
 * @example registrySuite('MemoryRegistry', { store: async () => memoryStore() })
 */
export function registrySuite(name: string, { store }: RegistrySuiteOptions): void {
  describe(`${name} as a registry`, () => {
    for (const [title, run] of Object.entries({ ...listTests, ...leaseTests, ...endTests })) {
      test(title, async () => {
        await using place = await store()
        await using here = await place.open()
        await using there = await place.open()
        await run({ here, there })
      })
    }
  })
}

/** Two registry objects on one store, as two processes have. */
interface Pair {
  readonly here: Registry
  readonly there: Registry
}

type SuiteTests = Readonly<Record<string, (pair: Pair) => Promise<void>>>

const listTests: SuiteTests = {
  async 'a watch begins with the list as it is, empty or not'({ here, there }) {
    await using before = new ListReader(here, 'users')
    assert.deepEqual(await before.next(), [])
    await there.register(sampleInstance('a'))
    assert.deepEqual(await before.next(), [sampleInstance('a')])
    await using after = new ListReader(here, 'users')
    assert.deepEqual(await after.next(), [sampleInstance('a')])
    await using elsewhere = new ListReader(there, 'users')
    assert.deepEqual(await elsewhere.next(), [sampleInstance('a')])
  },

  async 'a watch sees the instances of its service only, ordered by id'({ here, there }) {
    await there.register(sampleInstance('c'))
    await here.register(sampleInstance('b', { services: ['groups', 'users'] }))
    await there.register(sampleInstance('a', { services: ['groups'] }))
    await using users = new ListReader(here, 'users')
    await using groups = new ListReader(here, 'groups')
    await using nobody = new ListReader(here, 'toString')
    await users.untilIds('b', 'c')
    await groups.untilIds('a', 'b')
    assert.deepEqual(await nobody.next(), [])
  },

  async 'every watch sees every change'({ here, there }) {
    await using first = new ListReader(here, 'users')
    await using second = new ListReader(here, 'users')
    await using third = new ListReader(there, 'users')
    const lease = await there.register(sampleInstance('a'))
    for (const reader of [first, second, third]) await reader.untilIds('a')
    await lease.release()
    for (const reader of [first, second, third]) await reader.untilIds()
  },

  async 'a change is seen in every field, and an update without change is none'({ here, there }) {
    const lease = await there.register(sampleInstance('a'))
    await using reader = new ListReader(here, 'users')
    await reader.untilIds('a')
    const changes: Partial<Instance>[] = [
      { app: 'other' },
      { addresses: ['tcp://127.0.0.1:4101', 'unix:/run/a.sock'] },
      { addresses: ['unix:/run/a.sock', 'tcp://127.0.0.1:4101'] },
      { services: ['users', 'groups'] },
      { weight: 2 },
      { group: 'canary' },
      { group: 'canary', version: '2.1.0' },
      { version: '2.1.0', zone: 'eu-1' },
      { zone: 'eu-2' },
      { tags: ['gpu'] },
      { tags: ['gpu', 'tenant:acme'] },
      { startedAtMs: 5 },
      { state: 'draining' },
    ]
    for (const change of changes) {
      const changed = sampleInstance('a', change)
      await lease.update(changed)
      await lease.update(sampleInstance('a', change))
      assert.deepEqual(await reader.next(), [changed])
    }
  },

  async 'a reader who was away gets only the newest list'({ here, there }) {
    const lease = await there.register(sampleInstance('a', { weight: 0 }))
    await using away = new ListReader(here, 'users')
    await using awake = new ListReader(here, 'users')
    await away.untilIds('a')
    for (let weight = 1; weight <= 20; weight++) {
      await lease.update(sampleInstance('a', { weight }))
      await awake.until(([instance]) => instance?.weight === weight)
    }
    assert.equal((await away.next())?.[0]?.weight, 20)
    await lease.release()
    assert.deepEqual(await away.next(), [], 'none of the older lists is left')
  },

  async 'a change that was undone while nobody looked is no change'({ here, there }) {
    const lease = await there.register(sampleInstance('a'))
    await using away = new ListReader(here, 'users')
    await using awake = new ListReader(here, 'users')
    await away.untilIds('a')
    for (const state of ['draining', 'up'] as const) {
      await lease.update(sampleInstance('a', { state }))
      await awake.until(([instance]) => instance?.state === state)
    }
    await lease.update(sampleInstance('a', { weight: 7 }))
    assert.equal((await away.next())?.[0]?.weight, 7)
  },

  async 'services are named once each, sorted'({ here, there }) {
    assert.deepEqual(await here.services(), [])
    const lease = await there.register(sampleInstance('a', { services: ['users', 'rooms'] }))
    await here.register(sampleInstance('b', { services: ['rooms', 'constructor'] }))
    assert.deepEqual(await here.services(), ['constructor', 'rooms', 'users'])
    await lease.release()
    assert.deepEqual(await here.services(), ['constructor', 'rooms'])
  },

  async 'lists cannot be changed by who gets them or by who gave them'({ here }) {
    const addresses = ['tcp://127.0.0.1:1']
    const tags = ['gpu']
    await here.register(sampleInstance('a', { addresses, tags }))
    addresses.push('tcp://127.0.0.1:2')
    tags.pop()
    await using reader = new ListReader(here, 'users')
    const [instance] = await reader.untilIds('a')
    assert.deepEqual(instance?.addresses, ['tcp://127.0.0.1:1'])
    assert.deepEqual(instance?.tags, ['gpu'])
    for (const part of [instance, instance?.addresses, instance?.tags]) {
      assert.ok(Object.isFrozen(part))
    }
  },
}

const leaseTests: SuiteTests = {
  async 'an id is taken once, whoever asks'({ here, there }) {
    const lease = await here.register(sampleInstance('a'))
    for (const registry of [here, there]) {
      await assert.rejects(registry.register(sampleInstance('a', { weight: 9 })), {
        code: 'ALREADY_EXISTS',
      })
    }
    await using reader = new ListReader(there, 'users')
    assert.deepEqual(await reader.untilIds('a'), [sampleInstance('a')])
    await lease.release()
    await there.register(sampleInstance('a', { weight: 9 }))
    await reader.until(([instance]) => instance?.weight === 9)
  },

  async 'of many who take one id at the same time, at most one gets it'({ here, there }) {
    const tries = Array.from({ length: 10 }, (_, n) =>
      (n % 2 === 0 ? here : there).register(sampleInstance('a', { weight: n })),
    )
    const results = await Promise.allSettled(tries)
    assert.ok(results.filter(({ status }) => status === 'fulfilled').length <= 1)
    for (const result of results) {
      if (result.status === 'rejected') assert.equal(result.reason.code, 'ALREADY_EXISTS')
    }
  },

  async 'a lease is released once, and is over then'({ here, there }) {
    const lease = await here.register(sampleInstance('a'))
    await using reader = new ListReader(there, 'users')
    await reader.untilIds('a')
    await Promise.all([lease.release(), lease.release()])
    await reader.untilIds()
    await lease.release()
    await assert.rejects(lease.update(sampleInstance('a')), { code: 'FAILED_PRECONDITION' })
    await here.register(sampleInstance('a', { weight: 2 }))
    await lease.release()
    const [instance] = await reader.untilIds('a')
    assert.equal(instance?.weight, 2, 'an old lease does not release the next one')
  },

  async 'a lease is released by leaving its block'({ here, there }) {
    await using reader = new ListReader(there, 'users')
    {
      await using _ = await here.register(sampleInstance('a'))
      await reader.untilIds('a')
    }
    await reader.untilIds()
  },

  async 'an instance that is not as it should be is refused, with the field'({ here }) {
    const wrong: Record<string, unknown>[] = [
      { id: '../a' },
      { id: '' },
      { app: 'a\nb' },
      { services: 'users' },
      { services: Array.from({ length: 1_001 }, () => 'users') },
      { addresses: ['127.0.0.1:4100'] },
      { addresses: ['file:///etc/passwd'] },
      { weight: -1 },
      { group: '' },
      { version: 2 },
      { zone: 'a\nb' },
      { tags: 'gpu' },
      { tags: ['x'.repeat(101)] },
      { state: 'down' },
      { startedAtMs: Number.NaN },
    ]
    const lease = await here.register(sampleInstance('b'))
    for (const change of wrong) {
      const instance = { ...sampleInstance('a'), ...change } as Instance
      const error = { code: 'INVALID_INPUT', message: new RegExp(Object.keys(change)[0]!) }
      await assert.rejects(here.register(instance), error)
      await assert.rejects(lease.update({ ...instance, id: 'b', ...change } as Instance), error)
    }
    await assert.rejects(lease.update(sampleInstance('a')), {
      code: 'INVALID_INPUT',
      message: /id/,
    })
    await using reader = new ListReader(here, 'users')
    assert.deepEqual(await reader.next(), [sampleInstance('b')])
  },
}

const endTests: SuiteTests = {
  async 'a watch ends when its signal aborts, also before it began'({ here }) {
    const controller = new AbortController()
    const reader = new ListReader(here, 'users', 5_000, controller.signal)
    assert.deepEqual(await reader.next(), [])
    const end = reader.next()
    controller.abort()
    assert.equal(await end, undefined)
    assert.equal(await reader.next(), undefined)
    const late = new ListReader(here, 'users', 5_000, controller.signal)
    assert.equal(await late.next(), undefined)
  },

  async 'a reader can leave while it waits, and others go on'({ here, there }) {
    const leaving = new ListReader(here, 'users')
    await using staying = new ListReader(here, 'users')
    await leaving.next()
    await staying.next()
    const end = leaving.next()
    await leaving[Symbol.asyncDispose]()
    assert.equal(await end, undefined)
    await there.register(sampleInstance('a'))
    await staying.untilIds('a')
  },

  async 'closing ends watches and releases leases, of this object only'({ here, there }) {
    const lease = await here.register(sampleInstance('a'))
    await there.register(sampleInstance('b'))
    const reader = new ListReader(here, 'users')
    await using other = new ListReader(there, 'users')
    await reader.untilIds('a', 'b')
    await other.untilIds('a', 'b')
    const end = reader.next()
    await here.close()
    assert.equal(await reader.next(), undefined)
    // What `next` was waiting for may be the list without the lease, if that came first.
    assert.deepEqual((await end)?.map(({ id }) => id) ?? ['b'], ['b'])
    await other.untilIds('b')
    await lease.release()
    await here.close()
    assert.deepEqual(await there.services(), ['users'])
  },

  async 'a closed registry takes nothing and says so'({ here, there }) {
    const lease = await here.register(sampleInstance('a'))
    await here.close()
    const closed = { code: 'FAILED_PRECONDITION' }
    await assert.rejects(here.register(sampleInstance('b')), closed)
    await assert.rejects(here.services(), closed)
    await assert.rejects(lease.update(sampleInstance('a')), closed)
    assert.equal(await new ListReader(here, 'users').next(), undefined)
    await until(async () => (await there.services()).length === 0, 'the lease is released')
  },

  async 'closing during a registration leaves nothing behind'({ here, there }) {
    const registering = here.register(sampleInstance('a'))
    const closing = here.close()
    await registering.catch(({ code }) => assert.equal(code, 'FAILED_PRECONDITION'))
    await closing
    await until(async () => (await there.services()).length === 0, 'the lease is released')
  },
}
