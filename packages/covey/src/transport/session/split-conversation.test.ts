import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Call } from '../../call/call.ts'
import { frameType } from '../../codec/frame/frame-type.ts'
import { fourMethods } from '../../testing/four-kinds.ts'
import {
  callFrame,
  frameOf,
  framesOf,
  helloFrame,
  serverEnd,
  settled,
  valueFrame,
} from '../../testing/session-ends.ts'

async function serve(call: Call): Promise<unknown> {
  if (call.method.kind === 'unary' || call.method.kind === 'duplex') return call.input
  if (call.method.kind === 'serverStream') return three()
  const parts: unknown[] = []
  for await (const part of call.input as AsyncIterable<unknown>) parts.push(part)
  return parts
}

async function* three() {
  yield* [1, 'two', { three: 3 }]
}

const conversation = Buffer.concat([
  callFrame(1, 0, { deep: [[{ a: 'ünï😀' }]] }),
  callFrame(2, 1),
  callFrame(3, 2),
  valueFrame(frameType.item, 3, 'a'),
  valueFrame(frameType.item, 3, new Uint8Array([1, 2, 3])),
  callFrame(4, 3),
  valueFrame(frameType.item, 4, 'x'),
  frameOf(frameType.end, 3),
  frameOf(frameType.ping, 0),
  valueFrame(frameType.item, 4, 'y'),
  frameOf(frameType.end, 4),
])

/** What the server says to the conversation in these pieces, call by call. */
async function answers(pieces: readonly Uint8Array[]): Promise<string[]> {
  const { pipe } = await serverEnd(fourMethods, serve, { greeted: false })
  pipe.receive(helloFrame)
  await settled()
  for (const piece of pieces) pipe.receive(piece)
  await settled(20)
  return framesOf(pipe)
    .map(({ type, id, bytes, start, end }) => {
      return `${id} ${type} ${Buffer.from(bytes.slice(start, end)).toString('hex')}`
    })
    .sort()
}

test('a conversation says the same wherever the network cuts it, and byte by byte', async () => {
  const whole = await answers([conversation])
  assert.ok(whole.length >= 10)
  for (let at = 1; at < conversation.length; at++) {
    const got = await answers([conversation.subarray(0, at), conversation.subarray(at)])
    assert.deepEqual(got, whole, `cut at ${at}`)
  }
  const bytes = Array.from(conversation, (byte) => new Uint8Array([byte]))
  assert.deepEqual(await answers(bytes), whole)
})
