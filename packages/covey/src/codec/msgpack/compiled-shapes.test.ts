import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CompiledShapes } from './compiled-shapes.ts'

const reader = { value: () => 7 }

test('code is made once for the same keys in the same order', () => {
  const shapes = new CompiledShapes(4)
  const shape = shapes.get(['a', 'b'])!
  assert.deepEqual(new shape.build!(reader, 1), { a: 7, b: 7 })
  assert.equal(shapes.get(['a', 'b']), shape)
  assert.notEqual(shapes.get(['b', 'a']), shape)
  assert.notEqual(shapes.get(['a,b']), shape)
  assert.equal(shapes.size, 3)
})

test('those that are in use keep their places, however many others come', () => {
  const shapes = new CompiledShapes(8)
  const used = ['a', 'b', 'c'].map((key) => shapes.get([key])!)
  for (let round = 0; round < 1_000; round++) {
    for (const shape of used) shape.used = true
    assert.deepEqual(new (shapes.get([`junk ${round}`])!.build!)(reader, 1), {
      [`junk ${round}`]: 7,
    })
    assert.ok(shapes.size <= 8)
  }
  assert.ok(used.every(({ build }) => build !== undefined))
  assert.deepEqual(
    ['a', 'b', 'c'].map((key) => shapes.get([key])),
    used,
  )
})

test('one that is used no more loses its place, and gets another when it is wanted', () => {
  const shapes = new CompiledShapes(8)
  const idle = shapes.get(['idle'])!
  idle.used = true
  const others = Array.from({ length: 15 }, (_, index) => shapes.get([`k${index}`])!)
  for (const shape of others) shape.used = true
  assert.equal(idle.build, undefined)
  const again = shapes.get(['idle'])!
  assert.deepEqual(new again.build!(reader, 1), { idle: 7 })
  assert.equal(shapes.size, 8)
})

test('where all are in use one has to go', () => {
  const shapes = new CompiledShapes(3)
  const all = ['a', 'b', 'c', 'd'].map((key) => {
    const shape = shapes.get([key])!
    shape.used = true
    return shape
  })
  assert.deepEqual(
    all.map(({ build }) => build !== undefined),
    [false, true, true, true],
  )
})
