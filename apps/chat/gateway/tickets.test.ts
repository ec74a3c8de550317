import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { type CallOptions, type Client, CoveyError } from 'covey'
import { FakeClock } from 'covey/testing'
import type { tickets as contract } from '../contracts/tickets.ts'
import { Tickets } from './tickets.ts'

const ann = { userId: 'u_ann-------', sessionId: 's_1' }
const refused = { code: 'UNAUTHENTICATED' }

/** Gateways that can ask each other. */
function setUp(...instances: string[]) {
  const clock = new FakeClock()
  const all = new Map<string, Tickets>()
  const redeem = async ({ ticket }: { ticket: string }, { instance }: CallOptions = {}) => {
    const gateway = all.get(instance ?? '')
    if (gateway === undefined) throw new CoveyError('UNAVAILABLE', 'none is running')
    return gateway.redeemOwn(ticket)
  }
  const others = { redeem: redeem as Client<typeof contract>['redeem'] }
  for (const instance of instances) {
    all.set(instance, new Tickets({ instance, others, clock, random: randomBytes }))
  }
  return { clock, all, gateways: [...all.values()] as [Tickets, ...Tickets[]] }
}

test('a ticket works once, for the session it was issued to', async () => {
  const { gateways } = setUp('g1')
  const ticket = gateways[0].issue(ann)
  assert.deepEqual(await gateways[0].redeem(ticket), ann)
  await assert.rejects(gateways[0].redeem(ticket), refused)
})

test('of two that use a ticket at the same moment one gets in', async () => {
  const { gateways } = setUp('g1', 'g2')
  const ticket = gateways[0].issue(ann)
  const tries = await Promise.allSettled(gateways.map((gateway) => gateway.redeem(ticket)))
  assert.deepEqual(tries.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
})

test('a ticket ends after thirty seconds', async () => {
  const { gateways, clock } = setUp('g1')
  const [one, two] = [gateways[0].issue(ann), gateways[0].issue(ann)]
  await clock.advance(29_999)
  await gateways[0].redeem(one)
  await clock.advance(1)
  await assert.rejects(gateways[0].redeem(two), refused)
})

test('a ticket works at another gateway, as long as its own is there', async () => {
  const { gateways, all } = setUp('gateway-1.a', 'gateway-2.b')
  const [first, second] = gateways
  assert.deepEqual(await second?.redeem(first.issue(ann)), ann)
  const late = first.issue(ann)
  all.delete('gateway-1.a')
  await assert.rejects(second!.redeem(late), refused)
})

test('what is no ticket is refused, and nothing tells why', async () => {
  const { gateways } = setUp('g1')
  const good = gateways[0].issue(ann)
  const bad = [undefined, '', '.', 'g1.', 'g1.x', `g2.${good}`, good.slice(0, -1), `${good}A`, 'x']
  for (const ticket of bad) {
    await assert.rejects(gateways[0].redeem(ticket), (error) => {
      assert.deepEqual((error as CoveyError).toData(), {
        code: 'UNAUTHENTICATED',
        message: 'the ticket is not valid; get a new one',
      })
      return true
    })
  }
  await gateways[0].redeem(good)
})

test('the tickets of an ended session are void, others are not', async () => {
  const { gateways } = setUp('g1')
  const mine = gateways[0].issue(ann)
  const other = gateways[0].issue({ ...ann, sessionId: 's_2' })
  gateways[0].revokeSession('s_1')
  await assert.rejects(gateways[0].redeem(mine), refused)
  await gateways[0].redeem(other)
})

test('a session cannot take tickets without end', async () => {
  const { gateways, clock } = setUp('g1')
  for (let n = 0; n < 30; n++) gateways[0].issue(ann)
  assert.throws(() => gateways[0].issue(ann), { code: 'RESOURCE_EXHAUSTED' })
  gateways[0].issue({ ...ann, sessionId: 's_2' })
  await clock.advance(1_000)
  gateways[0].issue(ann)
})

test('a secret is 256 bits of the given source', () => {
  const { gateways } = setUp('g1')
  const secrets = [1, 2, 3].map(() => gateways[0].issue(ann).slice('g1.'.length))
  for (const secret of secrets) assert.equal(Buffer.from(secret, 'base64url').length, 32)
  assert.equal(new Set(secrets).size, 3)
})
