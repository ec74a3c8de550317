import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CoveyError } from 'covey/client'
import { progressOf, unreadOf } from './conversation.ts'
import { ada, bob, ChatBench } from './testing/chat-bench.ts'

interface Told {
  readonly deliveredSeq: number
  readonly readSeq: number
}

const told = (bench: ChatBench) =>
  bench.callsOf('acknowledge').map((input) => {
    const { deliveredSeq, readSeq } = input as Told
    return [deliveredSeq, readSeq]
  })

test('what arrives is acknowledged as delivered, in one call', async () => {
  const bench = new ChatBench()
  await bench.connect()
  for (let number = 0; number < 5; number++) bench.bobWrites(`${number}`)
  await bench.settle()
  assert.deepEqual(told(bench), [[5, 0]])
  assert.equal(unreadOf(bench.conversation!, ada.id), 5)
})

test('an open conversation is read only while somebody looks', async () => {
  const bench = new ChatBench()
  await bench.connect()
  bench.chat.select(bench.id)
  bench.bobWrites('behind the back')
  await bench.settle()
  assert.deepEqual(told(bench), [[1, 0]])
  bench.chat.look(true)
  await bench.settle()
  assert.deepEqual(told(bench), [
    [1, 0],
    [1, 1],
  ])
  assert.equal(unreadOf(bench.conversation!, ada.id), 0)
})

test('a conversation that is not open stays unread', async () => {
  const bench = new ChatBench()
  await bench.connect()
  bench.chat.look(true)
  bench.bobWrites('unseen')
  await bench.settle()
  assert.equal(bench.server.receipt(bench.id, ada.id).readSeq, 0)
  bench.chat.select(bench.id)
  await bench.settle()
  assert.equal(bench.server.receipt(bench.id, ada.id).readSeq, 1)
})

test('receipts never go back, and nothing is told twice', async () => {
  const bench = new ChatBench()
  await bench.connect()
  bench.chat.look(true)
  bench.chat.select(bench.id)
  for (let number = 0; number < 10; number++) {
    bench.server.fate = number % 2 === 0 ? 'doubled' : 'delivered'
    bench.bobWrites(`${number}`)
    await bench.settle()
  }
  const calls = told(bench)
  const reads = calls.map(([, read = 0]) => read)
  assert.deepEqual(
    reads,
    [...new Set(reads)].sort((a, b) => a - b),
  )
  assert.equal(reads.at(-1), 10)
})

test('a receipt that could not be told is told when the server answers again', async () => {
  const bench = new ChatBench()
  await bench.connect()
  bench.chat.look(true)
  bench.chat.select(bench.id)
  bench.server.refusals.set('acknowledge', [new CoveyError('UNAVAILABLE', 'away')])
  bench.bobWrites('1')
  await bench.settle()
  assert.equal(bench.server.receipt(bench.id, ada.id).readSeq, 1)
  await bench.disconnect()
  bench.bobWrites('2')
  await bench.settle()
  assert.equal(bench.server.receipt(bench.id, ada.id).readSeq, 1)
  await bench.connect()
  assert.equal(bench.server.receipt(bench.id, ada.id).readSeq, 2)
})

test('what was read on another device needs no telling here', async () => {
  const bench = new ChatBench()
  await bench.connect()
  bench.bobWrites('read on the phone')
  bench.server.acknowledge(bench.id, ada.id, 1, 1)
  await bench.settle()
  assert.equal(unreadOf(bench.conversation!, ada.id), 0)
  assert.deepEqual(told(bench), [])
})

test('ticks follow the receipts of the other side', async () => {
  const bench = new ChatBench()
  await bench.connect()
  bench.chat.select(bench.id)
  bench.chat.outbox.add(bench.id, 'hello')
  await bench.settle()
  const progress = () => {
    const conversation = bench.conversation!
    return progressOf(conversation, conversation.timeline!.messages[0]!, ada.id)
  }
  assert.equal(progress(), 'stored')
  bench.server.acknowledge(bench.id, bob.id, 1, 0)
  await bench.settle()
  assert.equal(progress(), 'delivered')
  bench.server.acknowledge(bench.id, bob.id, 1, 1)
  await bench.settle()
  assert.equal(progress(), 'read')
})
