import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sharedTickWheel } from '../../base/tick-wheel.ts'
import type { CoveyError } from '../../error/covey-error.ts'
import { FakeClock } from '../../testing/fake-clock.ts'
import { defaultLimits, type Limits } from '../limits.ts'
import { LinkWatch, type Watched } from './link-watch.ts'

/** A connection that does what the test says, and notes what its watch does, with the time. */
function bench(given: Partial<Watched> = {}, limits: Partial<Limits> = {}) {
  const clock = new FakeClock()
  const seen: string[] = []
  const note = (what: string) => void seen.push(`${what} ${clock.monotonicMs()}`)
  const link = {
    busy: false,
    held: false,
    guarded: true,
    stallMs: Number.POSITIVE_INFINITY,
    ping() {
      note('ping')
      watch.sent()
    },
    look: () => false,
    fail({ message }: CoveyError) {
      note(message)
      watch.stop()
    },
    onStalled: () => note(watch.stalledMs === undefined ? 'well' : 'stalled'),
    ...given,
  }
  const watch = new LinkWatch(link, { ...defaultLimits, ...limits }, clock)
  /** Lets time pass, with bytes of the peer so often. */
  const hear = async (everyMs: number, times: number) => {
    for (let n = 0; n < times; n++) {
      await clock.advance(everyMs)
      watch.heard(clock.monotonicMs())
    }
  }
  return { clock, link, watch, seen, hear, wheel: sharedTickWheel(clock) }
}

/** One that has shaken hands, from a moment at which all is quiet. */
async function established(...given: Parameters<typeof bench>) {
  const made = bench(...given)
  made.watch.established()
  await made.clock.advance(300)
  return made
}

/** When a note was made. */
const atMs = (note: string | undefined) => Number(note?.split(' ').at(-1))

test('with calls in flight silence is asked about after pingMs, and the end after silenceMs', async () => {
  const { clock, watch, link, seen } = await established()
  link.busy = true
  watch.heard(clock.monotonicMs())
  await clock.advance(980)
  assert.equal(seen.length, 0)
  await clock.advance(60_000)
  assert.equal(seen.length, 2)
  // It is looked after four times a second.
  assert.ok(atMs(seen[0]) - 300 >= 1_000 && atMs(seen[0]) - 300 <= 1_280, `${seen[0]}`)
  assert.match(seen[1]!, /^nothing heard for 3[012]\d\d ms/)
  assert.equal(clock.waiting, 0)
})

test('any bytes are an answer', async () => {
  const { seen, hear, link } = await established({ busy: true })
  await hear(1_900, 20)
  assert.equal(seen.length, 20)
  assert.ok(seen.every((note) => note.startsWith('ping')))
  link.busy = false
  await hear(2_000, 1)
  assert.equal(seen.length, 20)
})

test('an idle peer that the system guards is asked now and then, and is gone silenceMs behind that', async () => {
  const { clock, watch, seen } = await established({}, { idlePingMs: 10_000 })
  for (let round = 0; round < 10; round++) {
    watch.heard(clock.monotonicMs())
    const startMs = clock.monotonicMs()
    await clock.advance(7_480)
    assert.equal(seen.length, round, 'not before three quarters of the time')
    await clock.advance(2_560)
    assert.equal(seen.length, round + 1)
    assert.ok(atMs(seen.at(-1)) - startMs < 10_040)
  }
  const askedMs = atMs(seen.at(-1))
  await clock.advance(60_000)
  assert.match(seen.at(-1)!, /^nothing heard for 3\d\d\d ms/)
  assert.ok(atMs(seen.at(-1)) - askedMs < 3_300, `${seen.at(-1)}`)
})

test('an idle peer that nobody guards is asked about every pingMs, and gone after silenceMs', async () => {
  const { clock, watch, seen, hear } = await established({ guarded: false })
  await hear(1_000, 50)
  assert.ok(seen.length >= 48 && seen.length <= 50, `${seen.length} pings in 50 s`)
  const heardMs = clock.monotonicMs()
  await clock.advance(60_000)
  const lostMs = atMs(seen.at(-1)) - heardMs
  assert.ok(lostMs >= 3_000 && lostMs <= 3_300, `${lostMs} ms`)
  assert.equal(watch.slot, -1)
})

test('what was sent last is made sure of once, as the system guards nothing while it repeats that', async () => {
  const { clock, watch, seen } = await established()
  watch.sent()
  await clock.advance(1_300)
  assert.equal(seen.length, 1)
  watch.heard(clock.monotonicMs())
  await clock.advance(10_000)
  assert.equal(seen.length, 1)
  watch.sent()
  await clock.advance(60_000)
  assert.match(seen.at(-1)!, /^nothing heard for 3\d\d\d ms/)
})

test('the silence before something was sent does not count, where the system kept watch', async () => {
  const { clock, watch, seen } = await established({}, { idlePingMs: 600_000 })
  await clock.advance(400_000)
  watch.sent()
  const sentMs = clock.monotonicMs()
  await clock.advance(60_000)
  const [asked, lost] = seen
  assert.ok(atMs(asked) - sentMs >= 1_000 && atMs(asked) - sentMs <= 1_300, `${asked}`)
  assert.ok(atMs(lost) - sentMs >= 3_000 && atMs(lost) - sentMs <= 3_300, `${lost}`)
})

test('idle peers wake nobody: of a thousand that began at once no twenty are asked in one turn', async () => {
  const clock = new FakeClock()
  const asked = new Map<number, number>()
  for (let n = 0; n < 1_000; n++) {
    const link = {
      ...{ busy: false, held: false, guarded: true, stallMs: Number.POSITIVE_INFINITY },
      ping() {
        const now = clock.monotonicMs()
        asked.set(now, (asked.get(now) ?? 0) + 1)
        watch.sent()
        watch.heard(now)
      },
      look: () => false,
      fail: () => assert.fail('all answer'),
      onStalled() {},
    }
    const watch = new LinkWatch(link, defaultLimits, clock)
    watch.established()
  }
  let wakes = 0
  const after = clock.after.bind(clock)
  clock.after = (delayMs, run) => {
    wakes += 1
    return after(delayMs, run)
  }
  await clock.advance(9_000)
  assert.ok(wakes < 12, `${wakes} timers while nobody is asked`)
  await clock.advance(9_000)
  assert.equal(asked.size, 0)
  await clock.advance(57_000)
  const total = [...asked.values()].reduce((sum, count) => sum + count, 0)
  assert.ok(total > 2_500 && total < 4_000, `${total} pings in 75 s`)
  assert.ok(Math.max(...asked.values()) < 20, `${Math.max(...asked.values())} pings in one turn`)
})

test('a peer with calls that is silent behind a ping stands still within a second, and is back when it is heard', async () => {
  const { clock, watch, seen, link } = await established({ stallMs: 800, busy: true })
  watch.heard(clock.monotonicMs())
  const heardMs = clock.monotonicMs()
  await clock.advance(1_000)
  assert.deepEqual(
    seen.map((note) => note.split(' ')[0]),
    ['ping', 'stalled'],
  )
  const stalledMs = atMs(seen[1]) - heardMs
  assert.ok(stalledMs >= 800 && stalledMs < 1_000, `${stalledMs} ms`)
  assert.equal(watch.stalledMs, 1_000)
  await clock.advance(1_500)
  assert.equal(seen.length, 2, 'told once')
  watch.heard(clock.monotonicMs())
  assert.match(seen[2]!, /^well/)
  assert.equal(watch.stalledMs, undefined)
  link.busy = false
  await clock.advance(10_000)
  assert.equal(seen.length, 3)
})

test('calls that were given up meanwhile change nothing', async () => {
  const { clock, watch, seen, link } = await established({ stallMs: 800 })
  link.busy = true
  watch.sent()
  await clock.advance(100)
  link.busy = false
  await clock.advance(1_000)
  assert.match(seen.at(-1)!, /^stalled/)
  await clock.advance(3_000)
  assert.match(seen.at(-1)!, /^nothing heard for 3\d\d\d ms/)
})

test('what is there to be read when silence is judged counts as heard', async () => {
  const { clock, watch, seen } = await established({ busy: true, stallMs: 800 })
  watch.heard(clock.monotonicMs())
  const words = () => seen.map((note) => note.split(' ')[0])
  // At the moment of each judgement, behind the timer that begins it: as an event loop orders them.
  const judged = clock.after.bind(clock)
  let judgements = 0
  clock.after = (delayMs, run) => {
    if (delayMs > 0) return judged(delayMs, run)
    judgements += 1
    watch.heard(clock.monotonicMs())
    return judged(0, run)
  }
  await clock.advance(10_000)
  assert.ok(judgements > 5)
  assert.deepEqual([...new Set(words())], ['ping'])
})

test('the silence of a handshake is neither asked about nor judged, but looked after while there is something', async () => {
  const looks: number[] = []
  const { clock, watch, seen } = bench({
    look(nowMs) {
      looks.push(nowMs)
      return nowMs < 1_000
    },
  })
  await clock.advance(600)
  assert.deepEqual([looks, clock.waiting], [[], 0])
  watch.sent()
  await clock.advance(10_000)
  assert.deepEqual(looks, [860, 1_120])
  watch.heard(clock.monotonicMs())
  await clock.advance(10_000)
  assert.deepEqual(looks.slice(2), [10_860])
  assert.deepEqual([seen, clock.waiting], [[], 0])
})

test('an end that stops reading behind a ping waits for the answer from when it reads again', async () => {
  const { clock, watch, seen, link } = await established({ busy: true, stallMs: 800 })
  watch.heard(clock.monotonicMs())
  await clock.advance(500)
  assert.match(seen.at(-1)!, /^ping/)
  link.held = true
  await clock.advance(60_000)
  assert.equal(seen.length, 1)
  link.held = false
  watch.resumed()
  await clock.advance(300)
  assert.equal(seen.length, 1)
  await clock.advance(300)
  assert.match(seen.at(-1)!, /^stalled/)
})

test('an end that does not read judges nobody', async () => {
  const { clock, watch, seen, link } = await established({ busy: true, stallMs: 800 })
  link.held = true
  await clock.advance(60_000)
  assert.deepEqual(seen, [])
  link.held = false
  watch.resumed()
  await clock.advance(2_900)
  assert.doesNotMatch(seen.at(-1)!, /nothing heard/)
  await clock.advance(400)
  assert.match(seen.at(-1)!, /^nothing heard for 3\d\d\d ms/)
})

test('time in which this process stood still is nobody’s silence', async () => {
  const { clock, watch, seen, wheel } = await established({ busy: true, stallMs: 800 })
  const monotonicMs = clock.monotonicMs.bind(clock)
  let heldUpMs = 0
  clock.monotonicMs = () => monotonicMs() + heldUpMs
  watch.heard(clock.monotonicMs())
  await clock.advance(500)
  assert.match(seen.at(-1)!, /^ping/)
  // As if everything had stopped for an hour, and the timers came first behind it.
  heldUpMs = 3_600_000
  await clock.advance(200)
  assert.equal(seen.length, 1)
  await clock.advance(400)
  assert.match(seen.at(-1)!, /^stalled/, 'what it was silent before still counts')
  await clock.advance(2_500)
  assert.match(seen.at(-1)!, /^nothing heard for 3\d\d\d ms/)
  assert.equal(wheel.size, 0)
})

test('one that is closed is out of the wheel, whatever it waited for', async () => {
  for (const busy of [true, false]) {
    const { clock, watch, seen, wheel } = await established({ busy })
    assert.equal(wheel.size, 1)
    watch.stop()
    watch.sent()
    watch.heard(clock.monotonicMs())
    assert.deepEqual([wheel.size, clock.waiting], [0, 0])
    await clock.advance(60_000)
    assert.deepEqual(seen, [])
  }
})

test('one that its own look closes is left alone', async () => {
  const { clock, watch, seen, wheel, link } = await established({ busy: true })
  link.look = () => {
    watch.stop()
    return true
  }
  await clock.advance(60_000)
  assert.deepEqual([seen, wheel.size], [[], 0])
})
