import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { Call } from '../../call/call.ts'
import { FrameDecoder } from '../../codec/frame/frame-decoder.ts'
import { frameType } from '../../codec/frame/frame-type.ts'
import { FrameWriter } from '../../codec/frame/frame-writer.ts'
import { encodeMsgpack } from '../../codec/msgpack/encode.ts'
import { defineContract } from '../../contract/define-contract.ts'
import { unary } from '../../contract/method.ts'
import { FakeClock } from '../../testing/fake-clock.ts'
import { type MemoryPipe, memoryPipe } from '../../testing/memory-pipe.ts'
import { defaultLimits } from '../limits.ts'
import type { Dispatcher } from '../transport.ts'
import { ClientSession } from './client-session.ts'
import { ServerSession } from './server-session.ts'

const { methods } = defineContract('t', { echo: unary({ input: z.any(), output: z.any() }) })

const dispatcher: Dispatcher = {
  instance: 'i',
  methods: [methods.echo],
  serve: async (call) => call.input,
} as Dispatcher

const options = { limits: defaultLimits, clock: new FakeClock() }

interface Seen {
  readonly from: 'client' | 'server'
  readonly type: number
  readonly bytes: number
}

/** Both ends of a connection, and all frames that went over it. */
async function bothEnds() {
  const ends = { client: memoryPipe(), server: memoryPipe() }
  const seen: Seen[] = []
  let closedBecause: string | undefined
  new ServerSession(ends.server, dispatcher, options, 'c', {
    onIdle() {},
    onClosed: (reason) => {
      closedBecause = reason?.code
    },
  })
  const session = new ClientSession(ends.client, options)
  const move = (from: 'client' | 'server', to: MemoryPipe) => {
    ends[from].turn()
    for (const bytes of ends[from].writes.splice(0)) {
      new FrameDecoder(1 << 22).push(bytes, ({ type, start, end }) => {
        seen.push({ from, type, bytes: end - start })
      })
      to.receive(bytes)
    }
  }
  const pump = async () => {
    for (let round = 0; round < 3; round++) {
      move('client', ends.server)
      await new Promise((resolve) => setImmediate(resolve))
      move('server', ends.client)
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  const ready = session.handshake()
  await pump()
  await ready
  return { ends, session, seen, pump, closed: () => closedBecause }
}

function shapeFrame(id: number): Uint8Array {
  const writer = new FrameWriter(1 << 20)
  writer.frame(frameType.shape, 0, id, (out) => {
    out.u16(0)
    encodeMsgpack(['a'], out)
  })
  return writer.take()
}

test('objects that come again leave their keys out, both ways, and arrive', async () => {
  const { session, seen, pump } = await bothEnds()
  for (let n = 0; n < 8; n++) {
    const input = { identifier: n, displayName: 'Ada', nested: [{ propertyOfItem: n }] }
    const answer = session.invoke(new Call(methods.echo, input))
    await pump()
    assert.deepEqual(await answer, input)
  }
  const sizes = (type: number) => seen.filter((one) => one.type === type).map(({ bytes }) => bytes)
  for (const type of [frameType.call, frameType.result]) {
    assert.ok(sizes(type).at(-1)! + 40 < sizes(type)[0]!, sizes(type).join())
  }
  const announcing = seen
    .filter(({ type }) => type === frameType.shape)
    .map(({ from }) => from)
    .sort()
  assert.deepEqual(announcing, ['client', 'client', 'server', 'server'])
  await session.close()
})

test('an announcement that breaks a rule ends the connection', async () => {
  const { session, ends, pump, closed } = await bothEnds()
  ends.server.receive(shapeFrame(0))
  assert.equal(closed(), undefined)
  ends.server.receive(shapeFrame(0))
  assert.equal(closed(), 'PROTOCOL_ERROR')
  await pump()
  assert.equal(session.state, 'closed')
  const other = await bothEnds()
  other.ends.server.receive(shapeFrame(1))
  assert.equal(other.closed(), 'PROTOCOL_ERROR')
})

test('nobody announces before the handshake, nor to a codec that knows no shapes', async () => {
  for (const hello of [undefined, { covey: 1, newest: 2, codecs: ['msgpack'] }]) {
    const pipe = memoryPipe()
    let closedBecause: string | undefined
    new ServerSession(pipe, dispatcher, options, 'c', {
      onIdle() {},
      onClosed: (reason) => {
        closedBecause = reason?.code
      },
    })
    if (hello !== undefined) {
      const writer = new FrameWriter(1 << 20)
      const sizes = { maxFrameBytes: 1 << 20, streamWindowBytes: 1 << 20 }
      writer.frame(frameType.hello, 0, 0, (out) => out.text(JSON.stringify({ ...hello, ...sizes })))
      pipe.receive(writer.take())
      await new Promise((resolve) => setImmediate(resolve))
      assert.equal(closedBecause, undefined)
    }
    pipe.receive(shapeFrame(0))
    assert.equal(closedBecause, 'PROTOCOL_ERROR')
  }
})
