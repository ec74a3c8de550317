import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../testing/fake-clock.ts'
import { seededRandom } from '../testing/random.ts'
import { sharedTickWheel, type Ticking, TickWheel } from './tick-wheel.ts'

/** A member that notes when it was looked after. */
class Member implements Ticking {
  slot = -1
  next: Ticking | undefined
  previous: Ticking | undefined
  readonly name: string
  onTick: (lateMs: number) => void

  constructor(name = '', onTick: (lateMs: number) => void = () => {}) {
    this.name = name
    this.onTick = onTick
  }

  tick(lateMs: number): void {
    this.onTick(lateMs)
  }
}

function bench() {
  const clock = new FakeClock()
  const wheel = new TickWheel(clock)
  const ticks: [string, number][] = []
  const member = (name: string) =>
    new Member(name, () => void ticks.push([name, clock.monotonicMs()]))
  return { clock, wheel, ticks, member }
}

test('a member is ticked once, at its time or up to 20 ms later', async () => {
  const { clock, wheel, ticks, member } = bench()
  await clock.advance(7)
  wheel.schedule(member('a'), 100)
  wheel.schedule(member('b'), 13)
  wheel.schedule(member('c'), 0)
  wheel.schedule(member('d'), 5_000)
  assert.equal(wheel.size, 4)
  await clock.advance(60_000)
  assert.deepEqual(
    ticks.sort(([one], [other]) => one.localeCompare(other)),
    [
      ['a', 120],
      ['b', 20],
      ['c', 20],
      ['d', 5_020],
    ],
  )
  assert.equal(wheel.size, 0)
})

test('the last time that was asked for counts', async () => {
  const { clock, wheel, ticks, member } = bench()
  const one = member('a')
  wheel.schedule(one, 100)
  wheel.schedule(one, 300)
  await clock.advance(200)
  assert.deepEqual(ticks, [])
  wheel.schedule(one, 40)
  await clock.advance(1_000)
  assert.deepEqual(ticks, [['a', 240]])
})

test('more than 20 seconds ahead comes earlier, but not for all at once, so members look at the clock themselves', async () => {
  const { clock, wheel, ticks, member } = bench()
  wheel.schedule(member('a'), 24_000)
  wheel.schedule(member('b'), 30_000)
  wheel.schedule(member('c'), 3_600_000)
  wheel.schedule(member('d'), Number.POSITIVE_INFINITY)
  await clock.advance(60_000)
  assert.deepEqual(ticks, [
    ['a', 12_000],
    ['b', 15_000],
    ['c', 20_460],
    ['d', 20_460],
  ])
})

test('the timer runs only when something is due', async () => {
  const { clock, wheel, member } = bench()
  assert.equal(clock.waiting, 0)
  const [near, far] = [member('near'), member('far')]
  wheel.schedule(far, 10_000)
  wheel.schedule(near, 1_000)
  assert.equal(clock.waiting, 1)
  let wakes = 0
  const after = clock.after.bind(clock)
  clock.after = (delayMs, run) => {
    wakes += 1
    return after(delayMs, run)
  }
  await clock.advance(9_000)
  assert.equal(wakes, 1, 'once for the far one, behind the near one')
  wheel.remove(far)
  wheel.remove(far)
  wheel.remove(near)
  assert.deepEqual([clock.waiting, wheel.size], [0, 0])
  wheel.schedule(near, 1_000)
  assert.equal(clock.waiting, 1)
})

test('a member may schedule itself again, and take others out', async () => {
  const { clock, wheel, ticks, member } = bench()
  const victim = member('victim')
  const regular: Member = member('regular')
  const note = regular.onTick
  regular.onTick = (lateMs) => {
    note(lateMs)
    wheel.remove(victim)
    wheel.schedule(regular, 100)
  }
  wheel.schedule(regular, 100)
  wheel.schedule(victim, 100)
  await clock.advance(350)
  assert.deepEqual(ticks, [
    ['regular', 100],
    ['regular', 200],
    ['regular', 300],
  ])
})

test('a process that was held up ticks each member once, and says for how long', () => {
  for (const heldMs of [500, 19_000, 21_000, 3_600_000]) {
    let nowMs = 90_000
    let turn = () => {}
    const wheel = new TickWheel({
      wallMs: () => nowMs,
      monotonicMs: () => nowMs,
      after(_, run) {
        turn = run
        return { stop() {} }
      },
      every: () => assert.fail('no timer that repeats'),
    })
    const late: number[] = []
    const members = Array.from({ length: 300 }, (_, n) => {
      const one: Member = new Member(`${n}`, (lateMs) => {
        late.push(lateMs)
        wheel.schedule(one, 100)
      })
      wheel.schedule(one, 100 + n)
      return one
    })
    nowMs += 100 + heldMs
    turn()
    assert.equal(late.length, members.length, `held up for ${heldMs} ms`)
    assert.deepEqual([...new Set(late)], [heldMs])
    nowMs += 120
    turn()
    assert.equal(late.length, 2 * members.length)
    assert.ok(late.slice(members.length).every((lateMs) => lateMs <= 20))
  }
})

test('thousands that come, move and go as they like are ticked exactly as asked', async () => {
  const seed = Date.now() % 2 ** 31
  const random = seededRandom(seed)
  const { clock, wheel } = bench()
  const dueMs = new Map<Member, number>()
  const ask = (one: Member) => {
    const delayMs = Math.floor(random() * 15_000)
    wheel.schedule(one, delayMs)
    dueMs.set(one, clock.monotonicMs() + delayMs)
  }
  const members = Array.from({ length: 500 }, () => {
    const one: Member = new Member('', () => {
      const lateMs = clock.monotonicMs() - (dueMs.get(one) ?? Number.NaN)
      assert.ok(lateMs >= 0 && lateMs <= 20, `${lateMs} ms late, seed ${seed}`)
      dueMs.delete(one)
      if (random() < 0.5) ask(one)
    })
    return one
  })
  for (let round = 0; round < 400; round++) {
    for (let change = 0; change < 20; change++) {
      const one = members[Math.floor(random() * members.length)]!
      if (random() < 0.3) {
        wheel.remove(one)
        dueMs.delete(one)
      } else ask(one)
    }
    await clock.advance(Math.floor(random() * 90))
    assert.equal(wheel.size, dueMs.size)
  }
  await clock.advance(200_000)
  assert.deepEqual([wheel.size, dueMs.size, clock.waiting], [0, 0, 0])
})

test('what begins at once is spread', () => {
  const { wheel } = bench()
  const counts = new Array<number>(10).fill(0)
  for (let n = 0; n < 1_000; n++) counts[Math.floor(wheel.jitter() * 10)]! += 1
  for (const count of counts) assert.ok(count >= 70 && count <= 130, `${counts}`)
})

test('those of one clock share one', () => {
  const clock = new FakeClock()
  assert.equal(sharedTickWheel(clock), sharedTickWheel(clock))
  assert.notEqual(sharedTickWheel(clock), sharedTickWheel(new FakeClock()))
})

test('a member that throws holds up nobody for longer than a slot', async () => {
  const { clock, wheel, ticks, member } = bench()
  const bad = new Member('bad', () => {
    throw new Error('no')
  })
  wheel.schedule(member('a'), 100)
  wheel.schedule(bad, 100)
  wheel.schedule(member('b'), 100)
  wheel.schedule(member('c'), 500)
  await assert.rejects(clock.advance(100), /^Error: no$/)
  await clock.advance(20)
  assert.deepEqual(ticks.map(([name]) => name).sort(), ['a', 'b'])
  await clock.advance(400)
  assert.deepEqual(ticks.at(-1), ['c', 500])
  assert.equal(wheel.size, 0)
})
