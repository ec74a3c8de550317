import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { systemClock } from '../base/clock.ts'
import type { Call } from '../call/call.ts'
import { currentCall } from '../call/call-storage.ts'
import type { Handler } from '../call/handler.ts'
import type { Client } from '../contract/client.ts'
import { defineContract } from '../contract/define-contract.ts'
import { defineService } from '../contract/define-service.ts'
import type { Entry } from '../contract/entry.ts'
import { unary } from '../contract/method.ts'
import { CoveyError } from '../error/covey-error.ts'
import { LocalService } from '../testing/local-service.ts'
import { until } from '../testing/until.ts'
import { batch } from './batch.ts'
import { contractClient } from './contract-client.ts'

const users = defineContract('users', {
  get: unary({
    input: z.object({ id: z.string() }),
    output: z.object({ id: z.string(), leftMs: z.number() }),
    errors: { USER_GONE: z.object({ id: z.string() }) },
  }),
  me: unary({ output: z.string() }),
  hang: unary({ timeoutMs: 60_000 }),
  nested: unary({ input: z.object({ ms: z.number() }), output: z.string(), timeoutMs: 60_000 }),
})

function fixture() {
  const seen = { started: [] as string[], aborted: [] as string[] }
  const inner: { api?: Client<typeof users> } = {}
  const note = (list: string[], { method }: Pick<Call, 'method'>) => void list.push(method.path)
  const service = new LocalService(
    defineService(users, {
      async get({ id }, call) {
        note(seen.started, call)
        if (id === 'gone') throw call.error('USER_GONE', { id })
        return { id, leftMs: call.remainingMs() }
      },
      me: () => 'ada',
      hang: (_, call) =>
        new Promise<void>((_, reject) => {
          note(seen.started, call)
          call.onCancel((reason) => {
            note(seen.aborted, call)
            reject(reason)
          })
        }),
      async nested({ ms }) {
        const { hang } = await batch.settled({ hang: inner.api!.hang.of() }, { timeoutMs: ms })
        return hang.ok ? 'done' : `${hang.error.code} ${currentCall()?.method.path}`
      },
    }),
  )
  const api = service.client()
  inner.api = api
  return { api, seen }
}

test('results come under the names of their entries, with their types', async () => {
  const { api } = fixture()
  const { a, b, who } = await batch({
    a: api.get.of({ id: '7' }),
    b: api.get.of({ id: '8' }, { timeoutMs: 1_000 }),
    who: api.me.of(),
  })
  const ids: string[] = [a.id, b.id]
  const name: string = who
  assert.deepEqual([ids, name], [['7', '8'], 'ada'])
  // @ts-expect-error a result has only what the contract says
  assert.equal(a.name, undefined)
  // @ts-expect-error an input has the type of the contract
  await assert.rejects(batch({ a: api.get.of({ id: 7 }) }), { code: 'INVALID_INPUT' })
})

test('nothing asked for is nothing', async () => {
  assert.deepEqual(await batch({}), {})
  assert.deepEqual(await batch.settled({}), {})
  assert.deepEqual(await batch(Object.create(null)), {})
})

test('an entry is not called before it is run, and each run is a call', async () => {
  const { api, seen } = fixture()
  const entry = api.get.of({ id: '7' })
  assert.equal(entry.path, 'users.get')
  await api.me()
  assert.deepEqual(seen.started, [])
  assert.equal((await entry.run()).id, '7')
  const twice = await batch({ a: entry, b: entry })
  assert.equal(twice.a.id + twice.b.id, '77')
  assert.equal(seen.started.length, 3)
})

test('the first failure is told with its entry and its type, and cancels the others', async () => {
  const { api, seen } = fixture()
  const error = await batch({ slow: api.hang.of(), bad: api.get.of({ id: 'gone' }) }).catch(
    (thrown: unknown) => thrown,
  )
  assert.ok(api.get.isError(error, 'USER_GONE'))
  assert.equal(error.details.id, 'gone')
  assert.equal(error.message, 'batch entry bad: users.get: USER_GONE')
  assert.equal(error.path, 'users.get')
  await until(() => seen.aborted.length === 1, 'the other one is cancelled')
})

test('settled tells each entry for itself and cancels none', async () => {
  const { api, seen } = fixture()
  const { bad, good } = await batch.settled({
    bad: api.get.of({ id: 'gone' }),
    good: api.get.of({ id: '7' }),
  })
  assert.ok(!bad.ok && api.get.isError(bad.error, 'USER_GONE'))
  assert.ok(good.ok && good.value.id === '7')
  assert.deepEqual(seen.aborted, [])
})

test('one slow entry does not hold the others beyond the time of the batch', async () => {
  const { api, seen } = fixture()
  const startMs = performance.now()
  const { slow, quick } = await batch.settled(
    { slow: api.hang.of(), quick: api.get.of({ id: '7' }) },
    { timeoutMs: 150 },
  )
  const tookMs = performance.now() - startMs
  assert.ok(tookMs >= 149 && tookMs < 450, `${tookMs} ms`)
  assert.equal(slow.ok ? 'done' : slow.error.code, 'DEADLINE_EXCEEDED')
  assert.ok(quick.ok && quick.value.leftMs <= 150)
  await until(() => seen.aborted.length === 1, 'the slow one is cancelled')
  await assert.rejects(batch({ slow: api.hang.of() }, { timeoutMs: 20 }), {
    code: 'DEADLINE_EXCEEDED',
    message: 'batch entry slow: users.hang: its time was used up while it ran',
  })
})

test('an entry can shorten the time of the batch, not lengthen it', async () => {
  const { api } = fixture()
  const { short, long, none } = await batch(
    {
      short: api.get.of({ id: '1' }, { timeoutMs: 500 }),
      long: api.get.of({ id: '2' }, { timeoutMs: 9_000 }),
      none: api.get.of({ id: '3' }),
    },
    { timeoutMs: 2_000 },
  )
  assert.ok(short.leftMs <= 500)
  for (const { leftMs } of [long, none]) assert.ok(leftMs > 1_000 && leftMs <= 2_000, `${leftMs}`)
})

test('aborting its signal cancels what is not done; one that was aborted begins nothing', async () => {
  const { api, seen } = fixture()
  const controller = new AbortController()
  const { signal } = controller
  const whole = batch({ slow: api.hang.of() }, { signal })
  await until(() => seen.started.length === 1, 'it runs')
  controller.abort()
  await assert.rejects(whole, { code: 'CANCELLED' })
  await until(() => seen.aborted.length === 1, 'the handler was told')
  const { late } = await batch.settled({ late: api.get.of({ id: '7' }) }, { signal })
  assert.equal(late.ok ? 'done' : late.error.code, 'CANCELLED')
  assert.deepEqual(seen.started, ['users.hang'])
})

test('an entry of its own signal is cancelled alone', async () => {
  const { api } = fixture()
  const signal = AbortSignal.abort()
  const { a, b } = await batch.settled({
    a: api.hang.of(undefined, { signal }),
    b: api.get.of({ id: '7' }),
  })
  assert.deepEqual([a.ok, b.ok], [false, true])
})

test('a batch in a handler inherits the call around it', async () => {
  const { api } = fixture()
  assert.equal(await api.nested({ ms: 30 }), 'DEADLINE_EXCEEDED users.nested')
  await assert.rejects(api.nested({ ms: 30_000 }, { timeoutMs: 50 }), {
    code: 'DEADLINE_EXCEEDED',
  })
})

test('names are names: __proto__ is refused, others of objects are not', async () => {
  const { api } = fixture()
  const entry = api.me.of()
  const got = await batch({ constructor: entry, toString: entry, '': entry, '0': entry })
  assert.deepEqual(Object.keys(got), ['0', 'constructor', 'toString', ''])
  assert.equal(Object.getPrototypeOf(got), Object.prototype)
  const own = Object.defineProperty({}, '__proto__', { value: entry, enumerable: true })
  for (const run of [batch, batch.settled]) {
    await assert.rejects(run(own), {
      code: 'INVALID_INPUT',
      message: 'batch: __proto__ is no name for an entry',
    })
    await assert.rejects(run({ __proto__: entry } as never), /__proto__ is no name/)
  }
})

test('what is no entry is named, and nothing is begun', async () => {
  const { api, seen } = fixture()
  const good = api.get.of({ id: '7' })
  for (const wrong of [api.me(), undefined, null, 5, api.me]) {
    await assert.rejects(batch({ good, wrong: wrong as unknown as Entry }), {
      name: 'TypeError',
      message: 'batch entry wrong: expected what api.method.of(input) makes',
    })
  }
  await assert.rejects(batch({ good }, { timeoutMs: Number.NaN }), TypeError)
  assert.deepEqual(seen.started, [])
})

test('a batch has 1,000 entries at most', async () => {
  const { api } = fixture()
  const many = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, n) => [`n${n}`, api.me.of()]))
  const all = await batch(many(1_000))
  assert.equal(Object.values(all).filter((name) => name === 'ada').length, 1_000)
  await assert.rejects(batch(many(1_001)), {
    code: 'INVALID_INPUT',
    message: 'batch: 1001 entries, at most 1000 fit into one',
  })
})

test('a middleware that never answers holds no batch', async () => {
  const stuck: Handler = () => new Promise(() => {})
  const api = contractClient(users, {
    clock: systemClock,
    currentCall: () => undefined,
    invoke: stuck,
  })
  const controller = new AbortController()
  const both = batch.settled({ a: api.me.of(), b: api.hang.of() }, { signal: controller.signal })
  controller.abort(new CoveyError('CANCELLED', 'enough'))
  const { a, b } = await both
  assert.deepEqual([a.ok, b.ok], [false, false])
})

test('an entry that has ended is not cancelled by one that fails after it', async () => {
  const failing = Promise.withResolvers<never>()
  const calls: Call[] = []
  const api = contractClient(users, {
    clock: systemClock,
    currentCall: () => undefined,
    invoke(call) {
      calls.push(call)
      return call.method.name === 'me' ? Promise.resolve('ada') : failing.promise
    },
  })
  const both = batch({ done: api.me.of(), bad: api.hang.of(), slow: api.hang.of() })
  await new Promise((resolve) => setImmediate(resolve))
  failing.reject(new CoveyError('NOT_FOUND', 'gone'))
  await assert.rejects(both, { code: 'NOT_FOUND', message: 'batch entry bad: gone' })
  assert.equal(calls[0]!.cancelled, undefined)
})
