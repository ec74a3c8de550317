import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createPayload, type Payload } from './payload.ts'
import { measureBytes, measureStreams } from './stream-loop.ts'
import { type BenchClient, chunkBytes, chunkSizes, createChunk } from './subject.ts'

const close = async () => {}
const load = { streams: 2, seconds: 0.01 }

test('streams are read to their end, again and again until the time is over', async () => {
  let opened = 0
  const client = counting(function* (count) {
    opened++
    for (let id = 0; id < count; id++) yield createPayload(id)
  })
  const { messagesPerSecond } = await measureStreams(client, load)
  assert.ok(opened >= 2)
  assert.ok(messagesPerSecond > 1_000)
})

test('a message too few or a wrong one fails the measurement', async () => {
  const short = counting(function* (count) {
    for (let id = 0; id < count - 1; id++) yield createPayload(id)
  })
  await assert.rejects(measureStreams(short, load), /ended after 9999 messages/)
  const wrong = counting(function* (count) {
    for (let id = 0; id < count; id++) yield createPayload(id === 500 ? 0 : id)
  })
  await assert.rejects(measureStreams(wrong, load), /wrong answer/)
})

test('bytes are counted and checked, wherever chunks are cut', async () => {
  const total = chunkBytes * 2 + 1_000
  const bytes = Buffer.concat([...chunkSizes(total)].map((size) => createChunk().subarray(0, size)))
  assert.equal(bytes.length, total)
  const cutAt = (size: number): BenchClient => ({
    async *bytes() {
      for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
    },
    close,
  })
  assert.equal((await measureBytes(cutAt(1_000), total)).bytes, total)
  await assert.rejects(measureBytes(cutAt(1_000), total + 1), /instead of/)
  bytes[70_000] = 255
  await assert.rejects(measureBytes(cutAt(1_000), total), /wrong byte at 70000: 255/)
})

function counting(messages: (count: number) => Iterable<Payload>): BenchClient {
  return {
    async *count(count) {
      yield* messages(count)
    },
    close,
  }
}
