import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Queued, SendBudget } from './send-budget.ts'

interface TestQueue extends Queued {
  queuedBytes: number
  countedBytes: number
  stillMs: number
  modest: boolean
  onRoom(): void
  readonly ends: string[]
}

function bench(maxBytes = 1_000) {
  const budget = new SendBudget(maxBytes)
  const queue = (stillMs: number): TestQueue => {
    const ends: string[] = []
    const giveUp = (reason: string) => void ends.push(reason)
    const made: TestQueue = {
      queuedBytes: 0,
      countedBytes: 0,
      stillMs,
      modest: false,
      ends,
      giveUp,
      onRoom: () => {},
    }
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

test('those that took nothing for longest are closed, until a quarter is free', () => {
  const { budget, queue, put } = bench()
  const [young, oldest, old] = [queue(30), queue(10), queue(20)]
  put(young, 300)
  put(oldest, 300)
  put(old, 300)
  const last = queue(5)
  put(last, 100)
  assert.deepEqual([oldest.ends, budget.bytes, budget.full], [[], 1_000, false])
  put(last, 200)
  // Not the one that is being written to, though nothing of it was taken for longer.
  assert.deepEqual(oldest.ends, ['1000 bytes wait for all peers of this listener'])
  assert.deepEqual([last.ends, young.ends, old.ends.length], [[], [], 1])
  assert.deepEqual([budget.bytes, budget.full], [1_100, true], 'their memory is not free yet')
  put(last, 1_200)
  assert.deepEqual([young.ends.length, last.ends.length], [1, 0])
  for (const one of [oldest, old, young]) budget.leave(one)
  assert.equal(budget.bytes, 1_200)
  budget.leave(last)
  assert.deepEqual([budget.bytes, budget.full], [0, false])
})

test('who waits is told when there is room, as long as there is, and those with little first', () => {
  const { budget, queue, put } = bench()
  const [worst, second] = [queue(1), queue(2)]
  put(worst, 600)
  put(second, 500)
  assert.deepEqual([worst.ends.length, budget.full], [1, true])
  const told: string[] = []
  for (const name of ['big', 'huge', 'late', 'small']) {
    const one = queue(3)
    one.modest = name === 'small'
    one.onRoom = () => {
      told.push(name)
      put(one, name === 'huge' ? 600 : 10)
    }
    budget.wait(one)
    if (name === 'late') budget.leave(one)
  }
  const last = queue(4)
  last.onRoom = () => told.push('last')
  budget.wait(last)
  assert.deepEqual(told, [])
  budget.leave(worst)
  assert.deepEqual([told, budget.full], [['small', 'big', 'huge'], true])
  budget.leave(second)
  assert.deepEqual(told, ['small', 'big', 'huge', 'last'])
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
