import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CoveyError } from '../error/covey-error.ts'
import { FakeClock } from '../testing/fake-clock.ts'
import { ScriptedConnection } from '../testing/scripted-connection.ts'
import { Subchannel } from './subchannel.ts'

async function bench() {
  const clock = new FakeClock()
  const opened: ScriptedConnection[] = []
  const drains: (() => void)[] = []
  const wish = { wanted: true, serving: true, refused: false, drained: false }
  const subchannel = new Subchannel({
    clock,
    random: () => 0.5,
    wanted: () => wish.wanted,
    serving: () => wish.serving,
    onChange() {},
    onStalled() {},
    async connect(_, { onDraining }) {
      if (wish.refused) throw new CoveyError('UNAVAILABLE', 'ECONNREFUSED')
      const connection = new ScriptedConnection()
      if (wish.drained) connection.state = 'draining'
      opened.push(connection)
      drains.push(() => {
        connection.state = 'draining'
        onDraining?.()
      })
      return connection
    },
  })
  await clock.advance(0)
  return { clock, opened, drains, wish, subchannel }
}

// The start and the backoff are tested through the endpoint.

test('a connection that drains is replaced at once, and kept until its calls have ended', async () => {
  const { clock, opened, drains, subchannel } = await bench()
  await clock.advance(1_000)
  opened[0]!.pending = 2
  drains[0]!()
  assert.equal(subchannel.state.is, 'connecting')
  await clock.advance(0)
  assert.deepEqual([subchannel.ready, opened.length, opened[0]!.state], [true, 2, 'draining'])
  opened[1]!.pending = 3
  assert.equal(subchannel.pending, 5)
  opened[0]!.lose()
  await clock.advance(0)
  assert.deepEqual([subchannel.ready, subchannel.pending, opened.length], [true, 3, 2])
})

test('of those that drain without calls the last one lingers until its other end closes it, for what is served to the end', async () => {
  const { clock, opened, drains, subchannel } = await bench()
  assert.equal(subchannel.lingering, undefined)
  for (const place of [0, 1]) {
    await clock.advance(20_000)
    drains[place]!()
    await clock.advance(0)
    assert.equal(subchannel.lingering, opened[place])
  }
  const states = opened.map(({ state }) => state)
  assert.deepEqual([states, subchannel.ready], [['closed', 'draining', 'open'], true])
  await clock.advance(60_000)
  assert.equal(opened.length, 3)
  opened[1]!.lose()
  await clock.advance(0)
  assert.deepEqual([subchannel.lingering, subchannel.ready], [undefined, true])
})

test('that of an instance which stops is not replaced, but opened again where it is lost', async () => {
  const { clock, opened, drains, wish, subchannel } = await bench()
  await clock.advance(1_000)
  wish.serving = false
  drains[0]!()
  await clock.advance(60_000)
  assert.deepEqual([opened.length, subchannel.ready], [1, false])
  assert.equal(subchannel.lingering, opened[0])
  wish.drained = true
  opened[0]!.lose()
  await clock.advance(60_000)
  assert.equal(opened.length, 2)
  assert.equal(subchannel.lingering, opened[1])
})

test('one that drains as soon as it is open is replaced with a delay that grows, so that no loop comes of it', async () => {
  const { clock, opened, wish, subchannel } = await bench()
  wish.drained = true
  opened[0]!.lose()
  await clock.advance(30_000)
  assert.ok(opened.length < 20, `${opened.length} connections in 30 s`)
  const states = opened.map(({ state }) => state)
  assert.deepEqual(new Set(states.slice(0, -1)), new Set(['closed']))
  assert.match(subchannel.describe(), /takes no new calls; next try in/)
  wish.drained = false
  await clock.advance(10_000)
  assert.equal(subchannel.ready, true)
})

test('of those that drain soon the first is replaced at once, further ones with a delay that grows', async () => {
  const { clock, opened, drains, subchannel } = await bench()
  const gaps: number[] = []
  for (let count = 0; count < 6; count++) {
    await clock.advance(500)
    const drainedMs = clock.monotonicMs()
    drains[count]!()
    await clock.advance(0)
    while (!subchannel.ready) await clock.advance(50)
    gaps.push(clock.monotonicMs() - drainedMs)
  }
  assert.deepEqual(gaps, [0, 100, 200, 400, 800, 1_600])
  await clock.advance(10_000)
  drains[6]!()
  await clock.advance(0)
  assert.deepEqual([subchannel.ready, opened.length], [true, 8])
})

test('where the replacement is refused it is tried again, and the old one serves to its end', async () => {
  const { clock, opened, drains, wish, subchannel } = await bench()
  await clock.advance(1_000)
  wish.refused = true
  opened[0]!.pending = 1
  drains[0]!()
  await clock.advance(0)
  assert.deepEqual([subchannel.state.is, subchannel.pending], ['waiting', 1])
  wish.refused = false
  await clock.advance(1_000)
  assert.equal(subchannel.ready, true)
})

test('one that is not wanted any more is not replaced', async () => {
  const { clock, opened, drains, wish, subchannel } = await bench()
  await clock.advance(1_000)
  wish.wanted = wish.serving = false
  drains[0]!()
  await clock.advance(60_000)
  assert.deepEqual([opened.length, subchannel.ready, opened[0]!.state], [1, false, 'draining'])
  opened[0]!.lose()
  await clock.advance(60_000)
  assert.equal(opened.length, 1)
})

test('closing closes those that are being left too', async () => {
  const { clock, opened, drains, subchannel } = await bench()
  await clock.advance(1_000)
  opened[0]!.pending = 1
  drains[0]!()
  await clock.advance(0)
  await subchannel.close()
  assert.deepEqual(
    opened.map(({ state }) => state),
    ['closed', 'closed'],
  )
  await clock.advance(60_000)
  assert.deepEqual([opened.length, clock.waiting], [2, 0])
})
