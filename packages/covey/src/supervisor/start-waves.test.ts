import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { startWaves } from './start-waves.ts'

const named = (name: string, ...after: string[]) => ({ name, after })
const names = (waves: { name: string }[][]) => waves.map((wave) => wave.map(({ name }) => name))

test('without an order all start at once', () => {
  assert.deepEqual(names(startWaves([named('a'), named('b')]).waves), [['a', 'b']])
  assert.deepEqual(startWaves([]).waves, [])
})

test('each stands behind all it comes after', () => {
  const { waves } = startWaves([
    named('gate', 'user', 'chat'),
    named('chat', 'user'),
    named('user'),
  ])
  assert.deepEqual(names(waves), [['user'], ['chat'], ['gate']])
})

test('names that are not in the list do not count', () => {
  assert.deepEqual(names(startWaves([named('gate', 'user')]).waves), [['gate']])
})

test('a circle is left over', () => {
  const { waves, cycle } = startWaves([
    named('a', 'b'),
    named('b', 'a'),
    named('c'),
    named('d', 'd'),
  ])
  assert.deepEqual(names(waves), [['c']])
  assert.deepEqual(cycle, ['a', 'b', 'd'])
})

test('whatever the order without circles: everyone once, and behind what it waits for', () => {
  const graphs = fc.array(fc.array(fc.nat(20), { maxLength: 4 }), { maxLength: 20 })
  fc.assert(
    fc.property(graphs, (edges) => {
      const processes = edges.map((list, index) =>
        named(`p${index}`, ...list.filter((other) => other < index).map((other) => `p${other}`)),
      )
      const { waves, cycle } = startWaves(processes)
      assert.deepEqual(cycle, [])
      const place = new Map(
        waves.flatMap((wave, at) => wave.map(({ name }) => [name, at] as const)),
      )
      assert.equal(place.size, processes.length)
      for (const { name, after } of processes) {
        for (const other of after) assert.ok(place.get(other)! < place.get(name)!)
      }
    }),
  )
})
