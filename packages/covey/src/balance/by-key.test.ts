import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { byKey, hashOf, type NamedCandidate } from './by-key.ts'

interface Named extends NamedCandidate {
  readonly name: string
}

function named(name: string, weight = 1): Named {
  return { name, hash: hashOf(name), pending: 0, latencyMs: 0, weight }
}

const keys = Array.from({ length: 20_000 }, (_, n) => `user-${n}`)

function shares(candidates: readonly Named[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const key of keys) {
    const { name } = byKey(key, candidates)
    counts[name] = (counts[name] ?? 0) + 1 / keys.length
  }
  return counts
}

test('equals share the keys equally, whatever they are called', () => {
  for (const prefix of ['i', 'users-0a1b2c3d-', 'tcp://10.0.0.']) {
    const all = Array.from({ length: 10 }, (_, n) => named(`${prefix}${n}`))
    for (const [name, share] of Object.entries(shares(all))) {
      assert.ok(share > 0.085 && share < 0.115, `${name}: ${share}`)
    }
  }
})

test('shares are in proportion to weights; a weight of 0 gets nothing while there is another', () => {
  const got = shares([named('a', 1), named('b', 3), named('c', 0)])
  assert.ok(Math.abs(got.a! - 0.25) < 0.02, `${got.a}`)
  assert.ok(Math.abs(got.b! - 0.75) < 0.02, `${got.b}`)
  assert.equal(got.c, undefined)
  assert.equal(byKey('k', [named('c', 0)]).name, 'c')
})

const fleet = fc
  .uniqueArray(fc.string({ minLength: 1, maxLength: 12 }), { minLength: 2, maxLength: 12 })
  .chain((names) =>
    fc.tuple(
      fc.tuple(...names.map((name) => fc.integer({ min: 1, max: 9 }).map((w) => named(name, w)))),
      fc.nat({ max: names.length - 1 }),
    ),
  )

test('property: when one goes, only its keys move; when it comes back, only they come back', () => {
  fc.assert(
    fc.property(fleet, fc.array(fc.string(), { maxLength: 50 }), ([all, lost], some) => {
      const gone = all[lost]!
      const rest = all.filter((candidate) => candidate !== gone)
      for (const key of [...some, ...keys.slice(0, 50)]) {
        const before = byKey(key, all)
        if (before !== gone) assert.equal(byKey(key, rest), before)
      }
    }),
  )
})

test('property: the order of the list does not matter', () => {
  fc.assert(
    fc.property(fleet, fc.string(), ([all], key) => {
      assert.equal(byKey(key, [...all].reverse()), byKey(key, all))
    }),
  )
})

test('the keys of one that goes are spread over all others', () => {
  const all = Array.from({ length: 5 }, (_, n) => named(`i${n}`))
  const moved: Record<string, number> = {}
  for (const key of keys) {
    if (byKey(key, all) !== all[0]) continue
    const { name } = byKey(key, all.slice(1))
    moved[name] = (moved[name] ?? 0) + 1
  }
  for (const count of Object.values(moved)) assert.ok(count > 800 && count < 1_200, `${count}`)
  assert.equal(Object.keys(moved).length, 4)
})

test('the hash is the same everywhere and for ever, so that processes agree', () => {
  assert.deepEqual(
    ['', 'a', 'user-7', 'ключ', '鍵'].map(hashOf),
    [0, 721651713, 3086650892, 820693468, 812278210],
  )
})
