import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CoveyError, defineContract, defineService, type Log, silentLog, unary } from 'covey'
import { FakeClock, LocalService } from 'covey/testing'
import { z } from 'zod'
import { presence } from '../contracts/presence.ts'
import { type ChatEvent, type Delivery, push } from '../contracts/push.ts'
import { until } from '../testing/until.ts'
import { EventPusher } from './event-pusher.ts'

const ann = 'u_ann-------'
const bob = 'u_bob-------'

const event = (n: number): ChatEvent => ({
  type: 'presence',
  change: { userId: `u_number-${n}-`, online: true },
})
const numberOf = ({ event: sent }: Delivery) =>
  Number(sent.type === 'presence' && sent.change.userId.split('-')[1])

/** A pusher between a presence service and one gateway, both of which do as the test says. */
function setUp(options: { maxQueued?: number } = {}) {
  const clock = new FakeClock()
  const warnings: string[] = []
  const told: string[] = []
  const log: Log = {
    ...silentLog,
    info: ({ instance, events }, message) => void told.push(`${instance} ${events} ${message}`),
    warn: (_, message) => void warnings.push(message),
  }
  const where = new Map([[ann, ['g1']]])
  const lookUps: string[][] = []
  const got: { epoch: string; deliveries: Delivery[]; remainingMs: number }[] = []
  const fail: { deliver: CoveyError[]; hold: Promise<void> | undefined } = {
    deliver: [],
    hold: undefined,
  }
  const presenceServer = new LocalService(
    defineService(presence, {
      announce: () => ({ renewed: true }),
      online: () => [],
      async *watch() {},
      routes({ userIds }) {
        lookUps.push(userIds)
        return userIds.flatMap((userId) =>
          (where.get(userId) ?? []).map((instance) => ({
            userId,
            instance,
            epoch: `life of ${instance}`,
            connectionId: '1',
          })),
        )
      },
    }),
    { clock },
  )
  const gateway = new LocalService(
    defineService(push, {
      async deliver(input, call) {
        await fail.hold
        const error = fail.deliver.shift()
        if (error !== undefined) throw error
        got.push({ ...input, remainingMs: call.remainingMs() })
        return { delivered: 1 }
      },
    }),
    { clock },
  )
  const pusher = new EventPusher({
    presence: presenceServer.client(),
    push: gateway.client(),
    clock,
    log,
    ...options,
  })
  const numbers = () => got.flatMap(({ deliveries }) => deliveries.map(numberOf))
  const wait = (check: () => boolean) => until(clock, check)
  return { clock, warnings, told, where, lookUps, got, fail, presenceServer, pusher, numbers, wait }
}

test('events of one moment share one look-up and one delivery, in order', async () => {
  const { pusher, lookUps, got, numbers, where } = setUp()
  where.set(bob, ['g1'])
  for (let n = 0; n < 50; n++) pusher.push(n % 2 ? [ann] : [ann, bob], event(n))
  await pusher.idle()
  assert.deepEqual(lookUps, [[ann, bob]])
  assert.equal(got.length, 1)
  assert.deepEqual(
    numbers(),
    Array.from({ length: 50 }, (_, n) => n),
  )
  assert.deepEqual(got[0]?.deliveries[1]?.userIds, [ann])
})

test('only gateways with somebody get events, and only of their users', async () => {
  const { pusher, got, where } = setUp()
  where.set(bob, ['g2', 'g3'])
  pusher.push([ann, bob, 'u_nobody-here'], event(1))
  pusher.push(['u_nobody-here'], event(2))
  await pusher.idle()
  assert.deepEqual(
    got.map(({ epoch, deliveries }) => [epoch, deliveries.flatMap(({ userIds }) => userIds)]),
    [
      ['life of g1', [ann]],
      ['life of g2', [bob]],
      ['life of g3', [bob]],
    ],
  )
})

test('a rush is split, in order, whatever comes meanwhile', async () => {
  const { pusher, got, numbers, wait } = setUp()
  for (let n = 0; n < 250; n++) pusher.push([ann], event(n))
  await wait(() => got.length > 0)
  for (let n = 250; n < 300; n++) pusher.push([ann], event(n))
  await pusher.idle()
  assert.ok(got.every(({ deliveries }) => deliveries.length <= 100))
  assert.deepEqual(
    numbers(),
    Array.from({ length: 300 }, (_, n) => n),
  )
})

test('a failing delivery is tried again, a few times, then given up and logged', async () => {
  const { pusher, fail, numbers, warnings, wait } = setUp()
  const away = () => new CoveyError('UNAVAILABLE', 'away')
  fail.deliver = [away(), away()]
  pusher.push([ann], event(1))
  await wait(() => numbers().length === 1)
  assert.deepEqual(warnings, [])
  fail.deliver = [away(), away(), away()]
  pusher.push([ann], event(2))
  await wait(() => warnings.length === 1)
  pusher.push([ann], event(3))
  await wait(() => numbers().includes(3))
  assert.deepEqual(numbers(), [1, 3])
})

test('a gateway that leaves in order, as in a reload, is told once with what it missed, and is no warning', async () => {
  const { pusher, clock, fail, warnings, told, wait } = setUp()
  const draining = () => new CoveyError('DRAINING', 'stopping')
  const details = { service: 'push', asked: { instance: 'g1' }, instances: [] }
  const gone = () => new CoveyError('UNAVAILABLE', 'push (instance g1): none fits', { details })
  for (const n of [1, 2]) {
    fail.deliver = [draining(), gone(), n === 1 ? draining() : gone()]
    pusher.push([ann], event(n))
    pusher.push([ann], event(n))
    await wait(() => fail.deliver.length === 0)
    await pusher.idle()
  }
  assert.deepEqual(told, [])
  await clock.advance(5_000)
  assert.deepEqual(told, ['g1 4 pushes for a gateway that has left; its clients pull them'])
  assert.deepEqual(warnings, [])
  await clock.advance(20_000)
  assert.equal(told.length, 1)
  fail.deliver = [draining(), draining(), draining()]
  pusher.push([ann], event(3))
  await wait(() => fail.deliver.length === 0)
  await clock.advance(10_000)
  assert.match(told.slice(1).join(), /^g1 1 pushes/)
})

test('one that is registered and cannot be reached is a warning', async () => {
  const { pusher, clock, fail, warnings, told, wait } = setUp()
  const details = { service: 'push', instances: ['g1 (10.0.0.7:4100): no answer'] }
  const cut = () => new CoveyError('UNAVAILABLE', 'no answer', { details })
  fail.deliver = [cut(), cut(), cut()]
  pusher.push([ann], event(1))
  await wait(() => fail.deliver.length === 0)
  await pusher.idle()
  await clock.advance(5_000)
  assert.deepEqual([warnings.length, told], [1, []])
})

test('a presence service that restarts costs no push', async () => {
  const { pusher, presenceServer, warnings, numbers, clock, wait } = setUp()
  await presenceServer.kill()
  pusher.push([ann], event(1))
  await clock.advance(3_000)
  presenceServer.restart()
  await wait(() => numbers().length === 1)
  assert.deepEqual(warnings, [])
})

test('what is lost is told before the end', async () => {
  const { pusher, fail, warnings, wait } = setUp()
  const away = () => new CoveyError('INTERNAL', 'broken')
  fail.deliver = [away(), away(), away()]
  pusher.push([ann], event(1))
  await wait(() => fail.deliver.length === 0)
  await pusher.close()
  assert.deepEqual(warnings, ['pushes lost; clients find them with their next pull'])
})

test('a gateway in another life gets nothing more, without noise', async () => {
  const { pusher, fail, numbers, warnings } = setUp()
  fail.deliver = [new CoveyError('STALE_ROUTE', 'another life', { details: { epoch: 'x' } })]
  pusher.push([ann], event(1))
  await pusher.idle()
  assert.deepEqual([numbers(), warnings], [[], []])
})

test('when nobody knows where users are, it tries for a moment, then drops and says so', async () => {
  const { pusher, presenceServer, warnings, numbers, wait } = setUp()
  await presenceServer.kill()
  pusher.push([ann], event(1))
  await wait(() => warnings.length === 1)
  presenceServer.restart()
  pusher.push([ann], event(2))
  await wait(() => numbers().includes(2))
  assert.deepEqual(numbers(), [2])
})

test('memory is bounded: what is too much is dropped and said', async () => {
  const { pusher, numbers, warnings } = setUp({ maxQueued: 10 })
  for (let n = 0; n < 25; n++) pusher.push([ann], event(n))
  await pusher.idle()
  assert.equal(numbers().length, 10)
  assert.deepEqual(warnings, ['pushes dropped: too many wait'])
})

test('a push outlives the call that caused it', async () => {
  const { pusher, numbers, wait, clock, got } = setUp()
  const contract = defineContract('test', { act: unary({ input: z.number(), timeoutMs: 100 }) })
  const server = new LocalService(
    defineService(contract, { act: (n) => pusher.push([ann], event(n)) }),
    { clock },
  )
  await server.client().act(1)
  await wait(() => numbers().length === 1)
  // All the time that its own contract gives it, not the rest of a call that is over.
  assert.ok(got[0]!.remainingMs > 1_000, `${got[0]!.remainingMs} ms`)
})

test('closing lets out what waits, but not for ever', async () => {
  const { pusher, numbers, clock, fail } = setUp()
  pusher.push([ann], event(1))
  await pusher.close()
  assert.deepEqual(numbers(), [1])

  const other = setUp()
  other.fail.hold = new Promise(() => {})
  other.pusher.push([ann], event(1))
  const closed = other.pusher.close()
  await other.clock.advance(1_000)
  await closed
  other.pusher.push([ann], event(2))
  await other.clock.advance(1_000)
  assert.deepEqual(other.numbers(), [])
  assert.ok(clock && fail)
})
