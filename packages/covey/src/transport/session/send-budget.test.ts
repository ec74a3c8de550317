import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Queued, SendBudget } from './send-budget.ts'

interface TestQueue extends Queued {
  queuedBytes: number
  countedBytes: number
  stillMs: number
  readonly ends: string[]
}

function bench(maxBytes = 1_000) {
  const budget = new SendBudget(maxBytes)
  const queue = (stillMs: number): TestQueue => {
    const ends: string[] = []
    const giveUp = (reason: string) => {
      ends.push(reason)
      budget.leave(made)
    }
    const made = { queuedBytes: 0, countedBytes: 0, stillMs, ends, giveUp }
    return made
  }
  const put = (one: TestQueue, bytes: number) => {
    one.queuedBytes = bytes
    budget.count(one)
  }
  return { budget, queue, put }
}

test('it is tight when more than half of it is used, and not when that was taken', () => {
  const { budget, queue, put } = bench()
  const [a, b] = [queue(1), queue(2)]
  put(a, 300)
  put(b, 200)
  assert.deepEqual([budget.bytes, budget.tight], [500, false])
  put(b, 201)
  assert.equal(budget.tight, true)
  put(b, 0)
  assert.deepEqual([budget.bytes, budget.tight], [300, false])
  budget.leave(a)
  budget.leave(b)
  assert.equal(budget.bytes, 0)
})

test('those that took nothing for longest are closed, until the others fit', () => {
  const { budget, queue, put } = bench()
  const [young, oldest, old] = [queue(30), queue(10), queue(20)]
  put(young, 300)
  put(oldest, 300)
  put(old, 300)
  const last = queue(5)
  put(last, 100)
  assert.deepEqual([oldest.ends, budget.bytes], [[], 1_000])
  put(last, 500)
  assert.deepEqual(oldest.ends, ['1000 bytes wait for all peers of this listener'])
  assert.deepEqual([old.ends.length, young.ends.length], [1, 0])
  // Not the one that is being written to, though nothing of it was taken either.
  assert.deepEqual([last.ends, budget.bytes], [[], 800])
  put(last, 1_500)
  assert.deepEqual([young.ends.length, last.ends.length, budget.bytes], [1, 0, 1_500])
})

test('what was taken since it was counted is no reason to close anybody', () => {
  const { budget, queue, put } = bench()
  const [first, second, third] = [queue(1), queue(2), queue(3)]
  put(first, 400)
  put(second, 400)
  second.queuedBytes = 100
  put(third, 400)
  assert.deepEqual([first.ends, second.ends, budget.bytes], [[], [], 900])
})
