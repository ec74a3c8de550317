import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../../testing/fake-clock.ts'
import { memoryPipe } from '../../testing/memory-pipe.ts'
import { defaultLimits } from '../limits.ts'
import { SendBudget, tightBytes } from './send-budget.ts'
import { SendQueue } from './send-queue.ts'

/** A queue with so many bytes waiting, next to others that use so much of the budget. */
function bench(budget: SendBudget) {
  const pipe = memoryPipe()
  const owner = { open: true, onSent() {}, holdIfFull() {}, fail() {} }
  const queue = new SendQueue(pipe, owner, {
    limits: defaultLimits,
    clock: new FakeClock(),
    budget,
  })
  const fill = (bytes: number) => {
    pipe.unsentBytes = bytes
    queue.add(7, 0, 1)
    queue.flush()
  }
  return { queue, fill }
}

test('while half of the budget is used a connection has to do with little', () => {
  const budget = new SendBudget(1_000_000)
  const { queue, fill } = bench(budget)
  fill(tightBytes + 1)
  assert.deepEqual([queue.full, queue.held], [false, false])
  const other = bench(budget)
  other.fill(500_000)
  assert.deepEqual([queue.full, queue.held], [true, true])
  fill(tightBytes)
  assert.deepEqual([queue.full, queue.held], [false, false])
  other.fill(0)
  fill(tightBytes + 1)
  assert.deepEqual([budget.tight, queue.full], [false, false])
})
