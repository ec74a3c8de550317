import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { defineService, silentLog } from 'covey'
import { FakeClock, LocalService } from 'covey/testing'
import { presence } from '../contracts/presence.ts'
import { PresenceAnnouncer } from './presence-announcer.ts'

const leaseMs = 9_000

function setUp(t: TestContext) {
  const clock = new FakeClock()
  const said: { atMs: number; users: string[] }[] = []
  const answer = { renewed: true }
  const server = new LocalService(
    defineService(presence, {
      announce({ instance, epoch, leaseMs: lease, connections }) {
        assert.deepEqual([instance, epoch, lease], ['g1', 'e1', leaseMs])
        said.push({ atMs: clock.monotonicMs(), users: connections.map(({ userId }) => userId) })
        return answer
      },
      routes: () => [],
      online: () => [],
      async *watch() {},
    }),
    { clock },
  )
  const here: string[] = []
  let forgotten = 0
  const announcer = new PresenceAnnouncer({
    presence: server.client(),
    instance: 'g1',
    epoch: 'e1',
    leaseMs,
    connections: () => here.map((userId, n) => ({ userId, connectionId: String(n) })),
    onForgotten() {
      forgotten += 1
    },
    clock,
    log: silentLog,
  })
  announcer.start()
  t.after(() => announcer.stop())
  function arrive(name: string): void {
    here.push(`u_${name}--------`)
    announcer.changed()
  }
  return { clock, said, answer, server, here, announcer, arrive, forgotten: () => forgotten }
}

test('who comes is told within 50 ms, those of one moment together', async (t) => {
  const { clock, said, arrive } = setUp(t)
  await clock.advance(1_000)
  const before = said.length
  for (const name of ['ann', 'bob', 'eve']) arrive(name)
  await clock.advance(50)
  arrive('joe')
  await clock.advance(100)
  assert.equal(said.at(-1)?.users.length, 4)
  assert.ok(said.length - before <= 3, `${said.length - before} announcements`)
})

test('without changes the lease is renewed each third of it', async (t) => {
  const { clock, said } = setUp(t)
  await clock.advance(30_000)
  assert.ok(said.length >= 9 && said.length <= 11, `${said.length} announcements`)
  for (const [n, { atMs }] of said.entries()) {
    assert.ok(atMs - (said[n - 1]?.atMs ?? 0) <= leaseMs / 3 + 100)
  }
})

test('announced() settles when what is here has been told', async (t) => {
  const { clock, said, announcer, arrive } = setUp(t)
  await clock.advance(1_000)
  await announcer.announced(2_000)
  arrive('ann')
  let settled = false
  const told = announcer.announced(2_000).then(() => {
    settled = true
    assert.deepEqual(said.at(-1)?.users, ['u_ann--------'])
  })
  assert.equal(settled, false)
  await clock.advance(100)
  assert.equal(settled, true)
  await told
})

test('announced() does not wait for ever', async (t) => {
  const { clock, server, announcer, arrive } = setUp(t)
  await clock.advance(1_000)
  await server.kill()
  arrive('ann')
  const told = announcer.announced(2_000)
  await clock.advance(2_000)
  await told
})

test('it tries for ever while nobody answers, and is back within a second or so', async (t) => {
  const { clock, said, server, arrive } = setUp(t)
  await clock.advance(1_000)
  await server.kill()
  arrive('ann')
  await clock.advance(600_000)
  const before = said.length
  server.restart()
  await clock.advance(1_100)
  assert.ok(said.length > before)
  assert.deepEqual(said.at(-1)?.users, ['u_ann--------'])
})

test('that it was forgotten is noticed, but not at its first words', async (t) => {
  const { clock, answer, forgotten } = setUp(t)
  answer.renewed = false
  await clock.advance(100)
  assert.equal(forgotten(), 0)
  answer.renewed = true
  await clock.advance(10_000)
  assert.equal(forgotten(), 0)
  answer.renewed = false
  await clock.advance(3_000)
  assert.equal(forgotten(), 1)
})

test('at its end it says that nobody is here, and nothing goes on', async (t) => {
  const { clock, said, announcer, arrive } = setUp(t)
  arrive('ann')
  await clock.advance(100)
  await announcer.stop()
  assert.deepEqual(said.at(-1)?.users, [])
  const before = said.length
  arrive('bob')
  await clock.advance(60_000)
  assert.equal(said.length, before)
})
