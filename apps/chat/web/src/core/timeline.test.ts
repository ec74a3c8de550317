import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Message } from '../../../contracts/messages.ts'
import {
  emptyTimeline,
  endOf,
  extend,
  hasOlder,
  maxAhead,
  prepend,
  startWith,
  trim,
} from './timeline.ts'

function message(seq: number): Message {
  return {
    conversationId: 'c_12345678',
    seq,
    senderId: 'u_bob00000',
    clientId: `client-${seq}`,
    text: String(seq),
    sentAtMs: seq,
  }
}

function messages(...seqs: number[]): Message[] {
  return seqs.map(message)
}

const seqsOf = (list: readonly Message[]) => list.map(({ seq }) => seq)

test('messages in order are appended', () => {
  const timeline = extend(extend(emptyTimeline, messages(1)), messages(2, 3))
  assert.deepEqual(seqsOf(timeline.messages), [1, 2, 3])
  assert.equal(endOf(timeline), 3)
})

test('a message behind a hole waits until the hole is filled', () => {
  const early = extend(startWith(messages(5, 6)), messages(9, 8))
  assert.deepEqual(seqsOf(early.messages), [5, 6])
  assert.deepEqual(seqsOf(early.ahead), [8, 9])
  const whole = extend(early, messages(7))
  assert.deepEqual(seqsOf(whole.messages), [5, 6, 7, 8, 9])
  assert.deepEqual(whole.ahead, [])
})

test('duplicates and old messages change nothing', () => {
  const timeline = extend(startWith(messages(3, 4)), messages(6))
  assert.equal(extend(timeline, messages(2, 3, 4, 6)), timeline)
})

test('the same message twice in one batch is added once', () => {
  assert.deepEqual(seqsOf(extend(emptyTimeline, messages(1, 1, 2, 2)).messages), [1, 2])
  assert.deepEqual(seqsOf(extend(emptyTimeline, messages(2, 2, 1, 1)).messages), [1, 2])
})

test('only a bounded number of early messages waits', () => {
  const early = Array.from({ length: maxAhead + 50 }, (_, index) => index + 2)
  const timeline = extend(emptyTimeline, messages(...early))
  assert.equal(timeline.ahead.length, maxAhead)
  assert.equal(timeline.ahead[0]?.seq, 2)
})

test('an older page joins at the front only without a hole', () => {
  const timeline = startWith(messages(5, 6))
  assert.deepEqual(seqsOf(prepend(timeline, messages(3, 4)).messages), [3, 4, 5, 6])
  assert.deepEqual(seqsOf(prepend(timeline, messages(1, 2, 4, 5)).messages), [4, 5, 6])
  assert.equal(prepend(timeline, messages(2, 3)), timeline)
  assert.equal(prepend(timeline, []), timeline)
})

test('a first page with a hole is cut behind the hole', () => {
  assert.deepEqual(seqsOf(startWith(messages(1, 2, 4, 5)).messages), [4, 5])
  assert.deepEqual(startWith([]).messages, [])
})

test('hasOlder is true until the first message is there', () => {
  assert.equal(hasOlder(emptyTimeline), false)
  assert.equal(hasOlder(startWith(messages(2))), true)
  assert.equal(hasOlder(startWith(messages(1, 2))), false)
})

test('trim keeps the newest messages', () => {
  const timeline = startWith(messages(1, 2, 3, 4))
  assert.deepEqual(seqsOf(trim(timeline, 2).messages), [3, 4])
  assert.equal(trim(timeline, 4), timeline)
})

test('whatever arrives, the messages have no hole, no repeat, and nothing that arrived is missing', () => {
  const arrivals = fc.array(fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 6 }))
  fc.assert(
    fc.property(arrivals, (batches) => {
      let timeline = emptyTimeline
      for (const batch of batches) timeline = extend(timeline, messages(...batch))
      const arrived = new Set(batches.flat())
      let end = 0
      while (arrived.has(end + 1)) end += 1
      const expected = Array.from({ length: end }, (_, index) => index + 1)
      assert.deepEqual(seqsOf(timeline.messages), expected)
      const early = [...arrived].filter((seq) => seq > end).sort((a, b) => a - b)
      assert.deepEqual(seqsOf(timeline.ahead), early)
    }),
  )
})
