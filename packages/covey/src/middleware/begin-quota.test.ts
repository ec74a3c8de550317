import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BeginQuota, type TurnFigures } from './begin-quota.ts'

const nothing = { turnMs: 0.1, beginningMs: 0, begun: 0, ended: 0, wanted: false }

/** A quota that goes through turns one after the other. */
function bench() {
  const quota = new BeginQuota()
  let nowMs = 0
  const turn = (figures: Partial<TurnFigures>, times = 1) => {
    for (let n = 0; n < times; n++) {
      nowMs += figures.turnMs ?? nothing.turnMs
      quota.learn({ ...nothing, ...figures }, nowMs)
    }
  }
  const rest = (restMs: number, ended = 0) => {
    nowMs += restMs
    quota.rest(restMs, ended, nowMs)
  }
  return { quota, turn, rest }
}

test('turns that are long because calls are begun in them set no limit', () => {
  const { quota, turn } = bench()
  turn({ turnMs: 300, beginningMs: 295, begun: 10, ended: 10 }, 20)
  assert.equal(quota.limited, false)
})

test('without a limit a turn begins few more than have ended lately', () => {
  const { quota, turn, rest } = bench()
  assert.equal(quota.calls, 100, 'when nothing is known')
  turn({ turnMs: 2, begun: 100 })
  assert.equal(quota.calls, 100, 'while none has ended')
  turn({ turnMs: 2, ended: 100 })
  assert.equal(quota.calls, 200)
  turn({ turnMs: 5, begun: 650, ended: 650 }, 100)
  assert.ok(quota.calls > 10_000, `${quota.calls}`)
  rest(3_000)
  assert.equal(quota.calls, 100)
})

test('one long turn is an accident, two are too many calls, and a very long one is as well', () => {
  const { quota, turn } = bench()
  turn({ turnMs: 150, ended: 70 })
  assert.equal(quota.limited, false)
  turn({ turnMs: 1 }, 400)
  turn({ turnMs: 150, ended: 70 })
  assert.equal(quota.limited, false, 'long after the first one')
  turn({ turnMs: 1 }, 100)
  turn({ turnMs: 150, ended: 70 })
  assert.deepEqual([quota.limited, quota.calls], [true, 1])
  const other = bench()
  other.turn({ turnMs: 250, ended: 100 })
  assert.equal(other.quota.limited, true)
})

test('a turn is not long that a few calls fill which take so long', () => {
  const { quota, turn } = bench()
  turn({ turnMs: 260, begun: 2, ended: 2 }, 10)
  // The first one, when nothing was known of them, may have been.
  assert.equal(Math.round(quota.costMs), 130)
  turn({ turnMs: 1 }, 1_100)
  assert.equal(quota.limited, false)
  turn({ turnMs: 130, begun: 1, ended: 1 }, 10)
  assert.equal(quota.limited, false)
})

test('with a limit one is begun for one that ends, but not more than fill a turn', () => {
  const { quota, turn } = bench()
  turn({ turnMs: 400, ended: 200 }, 2)
  quota.spend(quota.calls)
  turn({ turnMs: 20, ended: 10, wanted: true })
  assert.equal(quota.calls, 10)
  quota.spend(10)
  turn({ turnMs: 100, ended: 50, wanted: true })
  assert.equal(quota.calls, 25, 'those of 50 ms')
})

test('a loop that has nothing to do may begin more, up to what fills a turn', () => {
  const { quota, turn } = bench()
  turn({ turnMs: 400, ended: 200 }, 2)
  quota.spend(quota.calls)
  turn({ turnMs: 0.4, wanted: true }, 25)
  assert.ok(quota.calls >= 3 && quota.calls <= 4, `${quota.calls} in 10 ms, at 2 ms each`)
  turn({ turnMs: 0.4, wanted: true }, 1_000)
  assert.ok(quota.calls >= 24 && quota.calls <= 25, `${quota.calls} in 50 ms`)
})

test('the limit goes when nobody has wanted more for a second', () => {
  const { quota, turn } = bench()
  turn({ turnMs: 400, ended: 200 }, 2)
  turn({ turnMs: 10, ended: 5, wanted: true }, 300)
  assert.equal(quota.limited, true)
  turn({ turnMs: 10, ended: 1 }, 99)
  assert.equal(quota.limited, true)
  turn({ turnMs: 10, ended: 1 }, 3)
  assert.equal(quota.limited, false)
})

test('a time in which nobody looked counts: the limit ends in it, or those may be begun for which there was time', () => {
  const { quota, turn, rest } = bench()
  turn({ turnMs: 400, ended: 200 }, 2)
  quota.spend(quota.calls)
  rest(20, 5)
  // 10 ms of the 20 were theirs; of the other ten 8 are used, for four more.
  assert.equal(quota.calls, 9)
  rest(900)
  assert.equal(quota.calls, 25, 'those of 50 ms')
  rest(81)
  assert.equal(quota.limited, false)
})

test('what a call has cost is forgotten when there were none', () => {
  const { quota, turn, rest } = bench()
  turn({ turnMs: 100, beginningMs: 99, begun: 1 }, 10)
  assert.ok(quota.costMs > 90)
  rest(3_600_000)
  assert.equal(quota.costMs, 0)
})

test('what a call costs is what the loop works, for those that begin or end', () => {
  const { quota, turn } = bench()
  assert.equal(quota.costMs, 0, 'nothing is known')
  turn({ turnMs: 20.2, beginningMs: 20, begun: 10, ended: 10 }, 5)
  assert.ok(Math.abs(quota.costMs - 2) < 0.01, `${quota.costMs}`)
  turn({ turnMs: 20, begun: 1, ended: 10 }, 50)
  assert.ok(Math.abs(quota.costMs - 2) < 0.01, 'where they end later')
  turn({ turnMs: 0.3 }, 200)
  assert.ok(Math.abs(quota.costMs - 2) < 0.01, 'idle turns cost nothing')
  turn({ turnMs: 600, begun: 1 })
  assert.ok(quota.costMs < 10, `${quota.costMs} ms behind a garbage collection`)
})
