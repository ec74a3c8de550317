import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { FakeClock } from 'covey/testing'
import type { PresenceChange } from '../contracts/presence.ts'
import { PresenceBoard } from './presence-board.ts'

const leaseMs = 10_000

function makeBoard(t: TestContext, settings: { offlineAfterMs?: number; warmUpMs?: number } = {}) {
  const clock = new FakeClock()
  const board = new PresenceBoard(clock, { offlineAfterMs: 1_000, warmUpMs: 0, ...settings })
  t.after(() => board.close())

  /** What one gateway says: `user/connection` for each connection. */
  function announce(instance: string, epoch: string, ...connections: string[]): boolean {
    return board.announce({
      instance,
      epoch,
      leaseMs,
      connections: connections.map((text) => {
        const [userId, connectionId] = text.split('/')
        return { userId: userId!, connectionId: connectionId! }
      }),
    })
  }

  /** Follows users; `seen` is read whenever the test looks. */
  function follow(...userIds: string[]) {
    const abort = new AbortController()
    t.after(() => abort.abort())
    const seen: string[] = []
    const done = (async () => {
      for await (const change of board.watch(userIds, abort.signal)) seen.push(describe(change))
    })()
    return { seen, done, stop: () => abort.abort() }
  }

  return { board, clock, announce, follow, settle: () => clock.advance(0) }
}

const describe = ({ userId, online }: PresenceChange) => `${userId} ${online ? 'on' : 'off'}`

test('routes are those of the last announcement', (t) => {
  const { board, announce } = makeBoard(t)
  announce('g1', 'e1', 'ann/1', 'ann/2', 'bob/3')
  announce('g2', 'e2', 'ann/1')
  const places = (userId: string) =>
    board.routes([userId]).map(({ instance, connectionId }) => `${instance}:${connectionId}`)
  assert.deepEqual(places('ann'), ['g1:1', 'g1:2', 'g2:1'])
  announce('g1', 'e1', 'bob/3')
  assert.deepEqual(places('ann'), ['g2:1'])
  assert.deepEqual(board.routes(['bob', 'nobody']), [
    { userId: 'bob', instance: 'g1', epoch: 'e1', connectionId: '3' },
  ])
})

test('a connection that belongs to somebody else now is no longer of the first', (t) => {
  const { board, announce } = makeBoard(t)
  announce('g1', 'e1', 'ann/1')
  announce('g1', 'e1', 'bob/1')
  assert.deepEqual(board.routes(['ann']), [])
  assert.equal(board.routes(['bob']).length, 1)
})

test('what is not renewed goes away when its lease is over', async (t) => {
  const { board, clock, announce, follow } = makeBoard(t)
  announce('g1', 'e1', 'ann/1')
  const ann = follow('ann')
  await clock.advance(leaseMs - 1)
  announce('g1', 'e1', 'ann/1')
  await clock.advance(leaseMs - 1)
  assert.equal(board.routes(['ann']).length, 1)
  await clock.advance(1)
  assert.equal(board.routes(['ann']).length, 0)
  await clock.advance(1_000)
  assert.deepEqual(ann.seen, ['ann on', 'ann off'])
})

test('a new life of an instance replaces the old, whose late words are ignored', (t) => {
  const { board, announce } = makeBoard(t)
  announce('g1', 'first', 'ann/1')
  announce('g1', 'second', 'bob/1')
  announce('g1', 'first', 'ann/1')
  assert.deepEqual(board.routes(['ann']), [])
  assert.deepEqual(
    board.routes(['bob']).map(({ epoch }) => epoch),
    ['second'],
  )
})

test('an announcement tells whether the earlier routes were known', async (t) => {
  const { clock, announce } = makeBoard(t)
  assert.equal(announce('g1', 'e1'), false)
  assert.equal(announce('g1', 'e1', 'ann/1'), true)
  await clock.advance(leaseMs)
  assert.equal(announce('g1', 'e1', 'ann/1'), false)
  assert.equal(announce('g1', 'e2', 'ann/1'), false)
})

test('a watcher hears the state first, then each change', async (t) => {
  const { announce, follow, clock, settle } = makeBoard(t)
  announce('g1', 'e1', 'ann/1')
  const friends = follow('ann', 'bob', 'ann')
  await settle()
  assert.deepEqual(friends.seen, ['ann on', 'bob off'])
  announce('g1', 'e1', 'ann/1', 'bob/2', 'eve/3')
  announce('g1', 'e1', 'bob/2')
  await clock.advance(1_000)
  assert.deepEqual(friends.seen.slice(2), ['bob on', 'ann off'])
})

test('a second device changes nothing', async (t) => {
  const { announce, follow, clock } = makeBoard(t)
  announce('g1', 'e1', 'ann/1')
  const ann = follow('ann')
  announce('g2', 'e2', 'ann/7')
  announce('g1', 'e1')
  await clock.advance(5_000)
  assert.deepEqual(ann.seen, ['ann on'])
})

test('who comes back within a second was never away', async (t) => {
  const { board, announce, follow, clock } = makeBoard(t)
  announce('g1', 'e1', 'ann/1')
  const ann = follow('ann')
  announce('g1', 'e1')
  await clock.advance(999)
  assert.deepEqual(board.routes(['ann']), [])
  assert.deepEqual(board.online(['ann', 'bob']), ['ann'])
  announce('g1', 'e1', 'ann/2')
  await clock.advance(5_000)
  assert.deepEqual(ann.seen, ['ann on'])
  announce('g1', 'e1')
  await clock.advance(1_000)
  assert.deepEqual(ann.seen, ['ann on', 'ann off'])
  assert.deepEqual(board.online(['ann']), [])
})

test('a slow watcher gets the newest state, not each step', async (t) => {
  const { board, announce } = makeBoard(t, { offlineAfterMs: 0 })
  const abort = new AbortController()
  const changes = board.watch(['ann', 'bob'], abort.signal)
  assert.deepEqual((await changes.next()).value, { userId: 'ann', online: false })
  for (let i = 0; i < 1_000; i++) {
    announce('g1', 'e1', 'ann/1', 'bob/2')
    announce('g1', 'e1', 'bob/2')
  }
  assert.deepEqual((await changes.next()).value, { userId: 'bob', online: true })
  announce('g1', 'e1', 'ann/1', 'bob/2')
  assert.deepEqual((await changes.next()).value, { userId: 'ann', online: true })
  abort.abort()
  assert.equal((await changes.next()).done, true)
})

test('after its start the service calls nobody offline before gateways could speak', async (t) => {
  const { announce, follow, clock, settle } = makeBoard(t, { warmUpMs: 5_000 })
  const friends = follow('ann', 'bob')
  await clock.advance(2_000)
  assert.deepEqual(friends.seen, [])
  announce('g1', 'e1', 'ann/1')
  await settle()
  assert.deepEqual(friends.seen, ['ann on'])
  await clock.advance(3_000)
  assert.deepEqual(friends.seen, ['ann on', 'bob off'])
  const later = follow('eve')
  await settle()
  assert.deepEqual(later.seen, ['eve off'])
})

test('a watcher that leaves is forgotten, and no timer stays behind', async (t) => {
  const { board, announce, follow, clock } = makeBoard(t)
  const ann = follow('ann')
  await clock.advance(0)
  ann.stop()
  await ann.done
  announce('g1', 'e1', 'ann/1')
  await clock.advance(leaseMs + 1_000)
  assert.deepEqual(ann.seen, ['ann off'])
  assert.equal(clock.waiting, 0)
  board.close()
})
