import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../testing/random.ts'
import type { Candidate } from './balancer.ts'
import { p2c } from './p2c.ts'

function candidate(wishes: Partial<Candidate>): Candidate {
  return { pending: 0, latencyMs: 1, weight: 1, ...wishes }
}

function shares(candidates: readonly Candidate[], rounds = 10_000): number[] {
  const pick = p2c(seededRandom(7))
  const counts = candidates.map(() => 0)
  for (let round = 0; round < rounds; round++) {
    const index = candidates.indexOf(pick(candidates))
    counts[index] = counts[index]! + 1
  }
  return counts.map((count) => count / rounds)
}

test('one candidate is taken without a question', () => {
  const only = candidate({ pending: 99 })
  assert.equal(p2c()([only]), only)
})

test('equals share equally', () => {
  for (const share of shares([candidate({}), candidate({}), candidate({}), candidate({})])) {
    assert.ok(share > 0.2 && share < 0.3, `${share}`)
  }
})

test('of two, the slower and the busier is never taken', () => {
  assert.deepEqual(shares([candidate({ latencyMs: 50 }), candidate({})]), [0, 1])
  assert.deepEqual(shares([candidate({ pending: 3 }), candidate({})]), [0, 1])
})

test('a heavier weight stands for more room', () => {
  assert.deepEqual(shares([candidate({ pending: 3, weight: 8 }), candidate({})]), [1, 0])
})

test('a newcomer is tried at once, but not with a second call before its first answer', () => {
  const known = candidate({ latencyMs: 5 })
  assert.deepEqual(shares([candidate({ latencyMs: 0 }), known]), [1, 0])
  assert.deepEqual(shares([candidate({ latencyMs: 0, pending: 1 }), known]), [0, 1])
})
