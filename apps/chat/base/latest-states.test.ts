import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { LatestStates } from './latest-states.ts'

test('a reader ends up with the newest states and is never told the same twice in a row', () => {
  const step = fc.oneof(
    fc.record({ key: fc.nat(3), state: fc.boolean() }),
    fc.constant('take' as const),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const states = new LatestStates<number, boolean>()
      const truth = new Map<number, boolean>()
      const reader = new Map<number, boolean>()
      const read = () => {
        const next = states.take()
        if (next === undefined) return false
        assert.notEqual(reader.get(next[0]), next[1])
        reader.set(...(next as [number, boolean]))
        return true
      }
      for (const action of steps) {
        if (action === 'take') read()
        else {
          states.set(action.key, action.state)
          truth.set(action.key, action.state)
        }
      }
      while (read());
      assert.deepEqual(new Map([...reader].sort()), new Map([...truth].sort()))
    }),
  )
})
