import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Routing } from '../call/routing.ts'
import { Selections } from './selections.ts'

function bench(maxKept?: number) {
  const asked: Routing[] = []
  const selections = new Selections<Routing>((routing) => {
    asked.push(routing)
    return [routing]
  }, maxKept)
  return { selections, asked }
}

test('the same wishes are looked up once, until the list changes', () => {
  const { selections, asked } = bench()
  const routing = { group: 'canary' }
  for (const same of [routing, routing, { group: 'canary' }, { group: 'canary', key: 'k' }]) {
    assert.deepEqual(selections.of(same), [routing])
  }
  assert.equal(asked.length, 1)
  selections.clear()
  selections.of(routing)
  assert.equal(asked.length, 2)
})

test('no two different wishes share a selection', () => {
  const { selections } = bench()
  const all: Routing[] = [
    {},
    { instance: 'a' },
    { group: 'a' },
    { version: 'a' },
    { zone: 'a' },
    { tags: ['a'] },
    { tags: ['a', 'b'] },
    { tags: ['a1:b'] },
    { group: '-' },
    { group: 'a', version: 'b' },
    { group: 'a1:b' },
    { group: '' },
    { zone: 'a', tags: ['a'] },
  ]
  for (const _ of [1, 2]) {
    for (const routing of all) assert.deepEqual(selections.of(routing), [routing])
  }
  assert.equal(selections.size, all.length)
})

test('wishes without end take no memory without end', () => {
  const { selections } = bench(10)
  for (let n = 0; n < 1_000; n++) {
    assert.deepEqual(selections.of({ group: `g${n}` }), [{ group: `g${n}` }])
    assert.ok(selections.size <= 10)
  }
})
