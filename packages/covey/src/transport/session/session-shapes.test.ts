import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Call } from '../../call/call.ts'
import { FrameDecoder } from '../../codec/frame/frame-decoder.ts'
import { frameType } from '../../codec/frame/frame-type.ts'
import { encodeMsgpack } from '../../codec/msgpack/encode.ts'
import { fourMethods } from '../../testing/four-kinds.ts'
import { frameOf, serverEnd } from '../../testing/session-ends.ts'
import { sessionPair } from '../../testing/session-pair.ts'

/** Announces objects with the one key `a`. */
function shapeFrame(id: number): Uint8Array {
  return frameOf(frameType.shape, id, (out) => {
    out.u16(0)
    encodeMsgpack(['a'], out)
  })
}

/** The frames that were sent, to whom and how long. */
function framesIn(sent: ReturnType<typeof sessionPair>['sent']) {
  return sent.flatMap(({ to, bytes }) => {
    const found: { to: string; type: number; bytes: number }[] = []
    new FrameDecoder(1 << 22).push(bytes, ({ type, start, end }) => {
      found.push({ to, type, bytes: end - start })
    })
    return found
  })
}

test('objects that come again leave their keys out, both ways, and arrive', async () => {
  const { connect, echo, sent, client } = sessionPair()
  await connect()
  for (let n = 0; n < 8; n++) {
    const input = { identifier: n, displayName: 'Ada', nested: [{ propertyOfItem: n }] }
    assert.equal(await echo(input), JSON.stringify(input))
  }
  const seen = framesIn(sent)
  const sizes = (type: number) => seen.filter((one) => one.type === type).map(({ bytes }) => bytes)
  for (const type of [frameType.call, frameType.result]) {
    assert.ok(sizes(type).at(-1)! + 40 < sizes(type)[0]!, sizes(type).join())
  }
  const announcing = seen
    .filter(({ type }) => type === frameType.shape)
    .map(({ to }) => to)
    .sort()
  assert.deepEqual(announcing, ['client', 'client', 'server', 'server'])
  await client.close()
})

test('a side that has said little reads what the other one already remembers', async () => {
  // Long enough to be worth a memory, each of another kind so that none is announced, with texts that come again.
  const rows = ['a', 'b', 'c', 'd', 'e', 'f']
  const list = rows.map((key) => ({ [key]: 'comes again', [`${key}Note`]: key.repeat(120) }))
  const { connect, echo, client } = sessionPair({ serve: async () => list })
  await connect()
  for (let n = 0; n < 5; n++) assert.equal(await echo('?'), JSON.stringify(list), `answer ${n}`)
  await client.close()
})

test('an announcement that breaks a rule ends the connection', async () => {
  const { connect, client, toClient, pump, seen } = sessionPair()
  await connect()
  toClient.receive(shapeFrame(0))
  assert.deepEqual(seen.closed, [])
  toClient.receive(shapeFrame(0))
  assert.deepEqual(seen.closed, ['PROTOCOL_ERROR'])
  await pump()
  assert.equal(client.state, 'closed')
  const other = sessionPair()
  await other.connect()
  other.toClient.receive(shapeFrame(1))
  assert.deepEqual(other.seen.closed, ['PROTOCOL_ERROR'])
})

test('nobody announces before the handshake, nor to a codec that knows no shapes', async () => {
  const serve = async ({ input }: Call) => input
  const early = await serverEnd(fourMethods, serve, { greeted: false })
  early.pipe.receive(shapeFrame(0))
  assert.deepEqual(early.closed, ['PROTOCOL_ERROR'])
  const plain = await serverEnd(fourMethods, serve)
  assert.deepEqual(plain.closed, [])
  plain.pipe.receive(shapeFrame(0))
  assert.deepEqual(plain.closed, ['PROTOCOL_ERROR'])
})

test('a connection that says little remembers nothing, one that says much does from the second message on', async () => {
  const shapesAfter = async (inputs: readonly unknown[]) => {
    const { connect, echo, sent, client } = sessionPair()
    await connect()
    for (const input of inputs) assert.equal(await echo(input), JSON.stringify(input))
    await client.close()
    return framesIn(sent).filter(({ type }) => type === frameType.shape).length
  }
  const short = (count: number) => Array.from({ length: count }, (_, n) => ({ identifier: n }))
  assert.equal(await shapesAfter(short(6)), 0)
  assert.equal(await shapesAfter(short(7)), 2)
  assert.equal(await shapesAfter([short(100)]), 0)
  assert.equal(await shapesAfter([short(100), short(4)]), 2)
})
