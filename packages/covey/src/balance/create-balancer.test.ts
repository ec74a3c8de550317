import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../testing/random.ts'
import type { Candidate } from './balancer.ts'
import { type Balance, createBalancer } from './create-balancer.ts'

function candidate(wishes: Partial<Candidate> = {}): Candidate {
  return { pending: 0, latencyMs: 1, weight: 1, ...wishes }
}

/** How often each was picked. */
function picks(name: Balance, candidates: readonly Candidate[], rounds: number): number[] {
  const pick = createBalancer(name, seededRandom(7))
  const counts = candidates.map(() => 0)
  for (let round = 0; round < rounds; round++) {
    const index = candidates.indexOf(pick(candidates))
    counts[index] = counts[index]! + 1
  }
  return counts
}

test('roundRobin takes each in its turn, whatever its state, also when the list changes', () => {
  const list = [candidate({ pending: 50 }), candidate({ latencyMs: 900 }), candidate()]
  assert.deepEqual(picks('roundRobin', list, 30), [10, 10, 10])
  const pick = createBalancer('roundRobin', Math.random)
  assert.deepEqual(
    [0, 1, 2].map(() => list.indexOf(pick(list))),
    [0, 1, 2],
  )
  const shorter = list.slice(0, 2)
  assert.deepEqual(
    [0, 1].map(() => list.indexOf(pick(shorter))),
    [1, 0],
  )
})

test('leastPending takes the least busy; equals take turns', () => {
  assert.deepEqual(picks('leastPending', [candidate(), candidate(), candidate()], 30), [10, 10, 10])
  const list = [candidate({ pending: 2 }), candidate({ pending: 1, latencyMs: 900 })]
  assert.deepEqual(picks('leastPending', list, 10), [0, 10])
})

test('leastPending gives a heavier one more at once', () => {
  const heavy = candidate({ pending: 3, weight: 8 })
  assert.deepEqual(picks('leastPending', [candidate(), heavy], 10), [0, 10])
  const weightless = candidate({ weight: 0 })
  assert.deepEqual(picks('leastPending', [weightless, candidate({ pending: 9 })], 10), [0, 10])
  assert.deepEqual(picks('leastPending', [weightless], 1), [1])
})

test('weighted keeps the proportions, whatever the state', () => {
  const list = [candidate({ weight: 1, pending: 99 }), candidate({ weight: 3 })]
  const [light = 0, heavy = 0] = picks('weighted', list, 10_000)
  assert.ok(Math.abs(light - 2_500) < 200, `${light}`)
  assert.equal(light + heavy, 10_000)
  assert.deepEqual(picks('weighted', [candidate({ weight: 0 }), candidate()], 100), [0, 100])
  const [first = 0] = picks('weighted', [candidate({ weight: 0 }), candidate({ weight: 0 })], 1_000)
  assert.ok(Math.abs(first - 500) < 80, `${first}`)
})

test('p2c passes over a weight of 0, also while nothing is known of its time', () => {
  const weightless = candidate({ weight: 0, latencyMs: 0 })
  assert.deepEqual(picks('p2c', [weightless, candidate()], 100), [0, 100])
  assert.deepEqual(picks('p2c', [candidate(), weightless], 100), [100, 0])
})

test('a name that is none is refused, with those there are', () => {
  for (const name of ['random', 'toString', '']) {
    assert.throws(() => createBalancer(name as Balance, Math.random), {
      name: 'TypeError',
      message: `balance "${name}": use one of p2c, leastPending, roundRobin, weighted`,
    })
  }
})
