import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { FakeClock } from '../testing/fake-clock.ts'
import type { Clock, Timer } from './clock.ts'
import { TimerWheel } from './timer-wheel.ts'

/** A clock whose time and turns are those of the test. */
class HandClock implements Clock {
  nowMs = 0
  /** What is due every turn, and what is due at once. */
  turn = () => {}
  next: (() => void) | undefined

  wallMs(): number {
    return this.nowMs
  }

  monotonicMs(): number {
    return this.nowMs
  }

  every(_: number, run: () => void): Timer {
    this.turn = run
    return { stop() {} }
  }

  after(delayMs: number, run: () => void): Timer {
    assert.equal(delayMs, 0)
    this.next = run
    return { stop() {} }
  }
}

test('entries run once, never early, at most one tick late', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 0, max: 20_000 }), { maxLength: 30 }),
      async (delays) => {
        const clock = new FakeClock()
        const wheel = new TimerWheel(clock)
        const ran: { delay: number; atMs: number }[] = []
        for (const delay of delays) {
          wheel.add(delay, () => ran.push({ delay, atMs: clock.monotonicMs() }))
        }
        await clock.advance(20_040)
        assert.equal(ran.length, delays.length)
        for (const { delay, atMs } of ran) {
          assert.ok(atMs >= delay && atMs <= delay + 20, `${delay} ran at ${atMs}`)
        }
        assert.equal(wheel.size, 0)
      },
    ),
    { numRuns: 5 },
  )
})

test('an entry that was removed does not run, and removing it again does nothing', async () => {
  const clock = new FakeClock()
  const wheel = new TimerWheel(clock)
  const ran: string[] = []
  const entries = ['a', 'b', 'c'].map((name) => wheel.add(50, () => ran.push(name)))
  wheel.remove(entries[1]!)
  wheel.remove(entries[1]!)
  assert.equal(wheel.size, 2)
  await clock.advance(100)
  assert.deepEqual(ran.sort(), ['a', 'c'])
})

test('an entry may add and remove others while it runs', async () => {
  const clock = new FakeClock()
  const wheel = new TimerWheel(clock)
  const ran: string[] = []
  const second = wheel.add(50, () => ran.push('second'))
  wheel.add(50, () => {
    ran.push('first')
    wheel.remove(second)
    wheel.add(clock.monotonicMs() + 30, () => ran.push('third'))
  })
  await clock.advance(200)
  assert.deepEqual(ran, ['first', 'third'])
})

test('an empty wheel has no timer', async () => {
  const clock = new FakeClock()
  const wheel = new TimerWheel(clock)
  wheel.remove(wheel.add(30, () => {}))
  await clock.advance(50)
  assert.equal(clock.waiting, 0)
  let ran = false
  wheel.add(clock.monotonicMs() + 30, () => {
    ran = true
  })
  await clock.advance(50)
  assert.equal(ran, true)
})

test('a wheel that was held up lets what has arrived be read before its entries run', () => {
  const clock = new HandClock()
  const wheel = new TimerWheel(clock)
  const ran: string[] = []
  const answered = wheel.add(50, () => ran.push('answered'))
  wheel.add(50, () => ran.push('silent'))
  clock.nowMs = 2_000
  clock.turn()
  assert.equal(ran.length, 0)
  wheel.remove(answered)
  clock.next!()
  assert.equal(ran.join(), 'silent')
  wheel.add(2_030, () => ran.push('in time'))
  clock.nowMs = 2_040
  clock.turn()
  assert.deepEqual(ran, ['silent', 'in time'])
})

test('an entry that was removed or has run holds no other', async () => {
  const clock = new FakeClock()
  const wheel = new TimerWheel(clock)
  const ran: string[] = []
  const entries = ['a', 'b', 'c'].map((name) => wheel.add(50, () => ran.push(name)))
  wheel.remove(entries[1]!)
  assert.deepEqual([entries[1]!.next, entries[1]!.previous], [undefined, undefined])
  await clock.advance(100)
  assert.equal(ran.length, 2)
  for (const { next, previous } of entries)
    assert.deepEqual([next, previous], [undefined, undefined])
})

test('an entry that throws holds up the others for no longer than a turn', () => {
  const clock = new HandClock()
  const wheel = new TimerWheel(clock)
  const ran: string[] = []
  for (const atMs of [50, 50, 60]) wheel.add(atMs, () => ran.push(`${atMs}`))
  const fault = () => {
    wheel.add(0, () => ran.push('new'))
    throw new Error('no')
  }
  wheel.add(50, fault)
  clock.nowMs = 70
  assert.throws(() => clock.turn(), /no/)
  clock.nowMs = 80
  clock.turn()
  assert.deepEqual(ran.toSorted(), ['50', '50', '60', 'new'])
  assert.equal(wheel.size, 0)
  assert.equal(clock.next, undefined, 'nobody was held up')
})
