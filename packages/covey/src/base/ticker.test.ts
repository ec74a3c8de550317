import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../testing/fake-clock.ts'
import { sharedTicker, Ticker } from './ticker.ts'

test('each member is looked after once a period, the first time after a period or a little earlier', async () => {
  const clock = new FakeClock()
  const ticker = new Ticker(clock, 800)
  const ticks: [string, number][] = []
  const member = (name: string) => ({ tick: () => void ticks.push([name, clock.monotonicMs()]) })
  const startMs = clock.monotonicMs()
  const a = member('a')
  const partA = ticker.add(a)
  await clock.advance(250)
  const b = member('b')
  const partB = ticker.add(b)
  await clock.advance(1_600)
  assert.deepEqual(
    ticks.map(([name, ms]) => [name, ms - startMs]),
    [
      ['a', 800],
      ['b', 1_040],
      ['a', 1_600],
      ['b', 1_840],
    ],
  )
  ticker.remove(a, partA)
  ticker.remove(a, partA)
  await clock.advance(800)
  assert.equal(ticks.length, 5)
  ticker.remove(b, partB)
  await clock.advance(8_000)
  assert.equal(ticks.length, 5)
})

test('its timer runs only while there is somebody', async () => {
  const clock = new FakeClock()
  const ticker = new Ticker(clock, 800)
  assert.equal(clock.waiting, 0)
  const members = [1, 2].map(() => ({ tick() {} }))
  const places = members.map((member) => ticker.add(member))
  assert.equal(clock.waiting, 1)
  for (const [index, member] of members.entries()) ticker.remove(member, places[index]!)
  assert.equal(clock.waiting, 0)
  ticker.add(members[0]!)
  assert.equal(clock.waiting, 1)
})

test('a member may leave, and others with it, while it is looked after', async () => {
  const clock = new FakeClock()
  const ticker = new Ticker(clock, 800)
  const seen: string[] = []
  const second = { tick: () => void seen.push('second') }
  let place = 0
  const first = {
    tick() {
      seen.push('first')
      ticker.remove(first, place)
      ticker.remove(second, place)
    },
  }
  place = ticker.add(first)
  ticker.add(second)
  await clock.advance(3_200)
  assert.deepEqual(seen, ['first'])
})

test('those of one clock and pace share one', () => {
  const clock = new FakeClock()
  assert.equal(sharedTicker(clock, 1_000), sharedTicker(clock, 1_000))
  assert.notEqual(sharedTicker(clock, 1_000), sharedTicker(clock, 500))
  assert.notEqual(sharedTicker(clock, 1_000), sharedTicker(new FakeClock(), 1_000))
})

test('on a process that is held up turns are made up for, and a long sleep counts as one period', () => {
  let nowMs = 90_000
  let turn = () => {}
  const ticker = new Ticker(
    {
      wallMs: () => nowMs,
      monotonicMs: () => nowMs,
      after: () => ({ stop() {} }),
      every(_, run) {
        turn = run
        return { stop() {} }
      },
    },
    1_000,
  )
  let ticks = 0
  ticker.add({ tick: () => ticks++ })
  for (nowMs = 90_300; nowMs <= 96_000; nowMs += 300) turn()
  assert.equal(ticks, 6)
  nowMs = 200_000
  turn()
  assert.equal(ticks, 7)
})
