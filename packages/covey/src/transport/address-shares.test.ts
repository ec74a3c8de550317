import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AddressShares } from './address-shares.ts'

/** Four places, and who holds them. */
function held(...groups: string[]) {
  const shares = new AddressShares(4)
  const holders = groups.map((group, index) => ({ group, name: `${group}${index}` }))
  for (const { group } of holders) shares.add(group)
  const yielding = (newcomer: string, slow: string[] = []) =>
    shares.yielding(holders, newcomer, ({ name }) => slow.includes(name))?.name
  return { shares, yielding }
}

test('what an address has beyond half it gives up to others, slow or not, the oldest first', () => {
  const { yielding } = held('b', 'a', 'a', 'a')
  assert.equal(yielding('c'), 'a1')
  assert.equal(yielding('b'), 'a1')
})

test('who has half or less gives up a place only when it is slow', () => {
  const { yielding } = held('a', 'a', 'b', 'b')
  assert.equal(yielding('c'), undefined)
  assert.equal(yielding('c', ['b2', 'b3']), 'b2')
})

test('who has more than half takes places from nobody but itself', () => {
  const { yielding } = held('b', 'a', 'a', 'a')
  assert.equal(yielding('a'), undefined)
  assert.equal(yielding('a', ['b0']), undefined)
  assert.equal(yielding('a', ['b0', 'a2']), 'a2')
})

test('nothing is remembered of addresses that hold no place', () => {
  const { shares } = held('a', 'a', 'a', 'b')
  assert.deepEqual([shares.full('a'), shares.over('a'), shares.full('b')], [true, true, false])
  shares.remove('a')
  assert.deepEqual([shares.full('a'), shares.over('a')], [true, false])
  for (const group of ['a', 'a', 'b']) shares.remove(group)
  assert.deepEqual([shares.size, shares.full('a')], [0, false])
})

test('of a single place half is one', () => {
  const shares = new AddressShares(1)
  assert.equal(shares.full('a'), false)
  shares.add('a')
  assert.deepEqual([shares.full('a'), shares.over('a')], [true, false])
})
