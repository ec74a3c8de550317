import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { Call } from '../../call/call.ts'
import { FrameDecoder } from '../../codec/frame/frame-decoder.ts'
import { frameType } from '../../codec/frame/frame-type.ts'
import { FrameWriter } from '../../codec/frame/frame-writer.ts'
import { encodeMsgpack } from '../../codec/msgpack/encode.ts'
import { defineContract } from '../../contract/define-contract.ts'
import { serverStream, unary } from '../../contract/method.ts'
import { CoveyError } from '../../error/covey-error.ts'
import { FakeClock } from '../../testing/fake-clock.ts'
import { type MemoryPipe, memoryPipe } from '../../testing/memory-pipe.ts'
import { mutate } from '../../testing/mutate.ts'
import { seededRandom } from '../../testing/random.ts'
import { defaultLimits, type Limits } from '../limits.ts'
import type { Dispatcher } from '../transport.ts'
import { writeCallHead } from './call-head.ts'
import { ClientSession } from './client-session.ts'
import { ServerSession } from './server-session.ts'

const { methods } = defineContract('t', {
  echo: unary({ input: z.any(), output: z.any() }),
  items: serverStream({ output: z.any() }),
})

const welcome = {
  covey: 1,
  codec: 'msgpack',
  instance: 'i',
  maxFrameBytes: 1 << 20,
  methods: ['t.echo', 't.items'],
}

function frame(type: number, id: number, write?: Parameters<FrameWriter['frame']>[3]): Uint8Array {
  const writer = new FrameWriter(1 << 24)
  writer.frame(type, 0, id, write)
  return writer.take()
}

function json(type: number, value: unknown): Uint8Array {
  return frame(type, 0, (out) => out.text(JSON.stringify(value)))
}

/** Types of the frames that were written since the last look. */
function written(pipe: MemoryPipe): { type: number; id: number }[] {
  pipe.turn()
  const seen: { type: number; id: number }[] = []
  const decoder = new FrameDecoder(1 << 24)
  for (const bytes of pipe.writes.splice(0)) {
    decoder.push(bytes, ({ type, id }) => seen.push({ type, id }))
  }
  return seen
}

async function connected(clock = new FakeClock(), limits: Partial<Limits> = {}) {
  const pipe = memoryPipe()
  const session = new ClientSession(pipe, { limits: { ...defaultLimits, ...limits }, clock })
  const ready = session.handshake()
  pipe.turn()
  pipe.receive(json(frameType.welcome, welcome))
  await ready
  pipe.writes.length = 0
  return { pipe, session, clock }
}

function outcome(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    (value) => JSON.stringify(value),
    (error: CoveyError) => error.code,
  )
}

test('calls of one turn leave in one write', async () => {
  const { pipe, session } = await connected()
  for (let n = 0; n < 100; n++) session.invoke(new Call(methods.echo, { n })).catch(() => {})
  pipe.turn()
  assert.equal(pipe.writes.length, 1)
  assert.equal(written(pipe).length, 100)
  await session.close()
})

test('a call that never left is told as not run, one that left as maybe run', async () => {
  const { pipe, session } = await connected()
  const left = outcome(session.invoke(new Call(methods.echo, 1)))
  pipe.turn()
  const kept = outcome(session.invoke(new Call(methods.echo, 2)))
  pipe.disconnect()
  assert.deepEqual(await Promise.all([left, kept]), ['CONNECTION_LOST', 'UNAVAILABLE'])
  assert.equal(await outcome(session.invoke(new Call(methods.echo, 3))), 'UNAVAILABLE')
})

test('answers reach their own call in any order; a late one is dropped', async () => {
  const { pipe, session } = await connected()
  const calls = [1, 2, 3].map((n) => new Call(methods.echo, n))
  const results = calls.map((call) => outcome(session.invoke(call)))
  const ids = written(pipe).map(({ id }) => id)
  calls[1]!.cancel(new CoveyError('CANCELLED', 'enough'))
  assert.deepEqual(written(pipe), [{ type: frameType.cancel, id: ids[1] }])
  for (const id of ids.toReversed()) {
    pipe.receive(frame(frameType.result, id, (out) => encodeMsgpack(`for ${id}`, out)))
  }
  assert.deepEqual(await Promise.all(results), [`"for ${ids[0]}"`, 'CANCELLED', `"for ${ids[2]}"`])
  assert.equal(session.pending, 0)
})

test('an answer to a call that was never made closes the connection', async () => {
  const { pipe, session } = await connected()
  const call = outcome(session.invoke(new Call(methods.echo, 1)))
  written(pipe)
  pipe.receive(frame(frameType.result, 77, (out) => encodeMsgpack('for somebody', out)))
  assert.equal(await call, 'PROTOCOL_ERROR')
  assert.equal(session.state, 'closed')
})

test('a silent peer is asked, then given up', async () => {
  const { pipe, session, clock } = await connected()
  const call = outcome(session.invoke(new Call(methods.echo, 1)))
  written(pipe)
  await clock.advance(1_000)
  assert.deepEqual(written(pipe), [{ type: frameType.ping, id: 0 }])
  pipe.receive(frame(frameType.pong, 0))
  await clock.advance(2_900)
  assert.equal(session.state, 'open')
  await clock.advance(1_200)
  assert.equal(await call, 'CONNECTION_LOST')
  assert.equal(pipe.state, 'destroyed')
})

test('after a stall of its own a session reads before it judges', async () => {
  const clock = new FakeClock()
  const stalled = Object.assign(Object.create(clock) as FakeClock, {
    monotonicMs: () => clock.monotonicMs() + stallMs,
    after: clock.after.bind(clock),
    every: clock.every.bind(clock),
  })
  let stallMs = 0
  const { session } = await connected(stalled)
  stallMs = 60_000
  await clock.advance(1_000)
  assert.equal(session.state, 'open')
  await session.close()
})

test('a peer that answers nothing in time is no server', async () => {
  const clock = new FakeClock()
  const pipe = memoryPipe()
  const session = new ClientSession(pipe, { limits: defaultLimits, clock })
  const ready = outcome(session.handshake())
  await clock.advance(5_100)
  assert.equal(await ready, 'UNAVAILABLE')
  assert.equal(pipe.state, 'destroyed')
})

test('a server that wants no more calls gets none; those in flight end', async () => {
  const { pipe, session } = await connected()
  const running = outcome(session.invoke(new Call(methods.echo, 1)))
  const [sent] = written(pipe)
  pipe.receive(frame(frameType.goAway, 0))
  assert.equal(session.state, 'draining')
  assert.equal(await outcome(session.invoke(new Call(methods.echo, 2))), 'DRAINING')
  pipe.receive(frame(frameType.result, sent!.id, (out) => encodeMsgpack('done', out)))
  assert.equal(await running, '"done"')
})

test('a stream beyond what was granted closes the connection', async () => {
  const limits = { streamWindowBytes: 1024, maxFrameBytes: 64 * 1024 }
  const { pipe, session } = await connected(new FakeClock(), limits)
  await session.invoke(new Call(methods.items, undefined))
  const [sent] = written(pipe)
  const item = frame(frameType.item, sent!.id, (out) => encodeMsgpack('x'.repeat(30_000), out))
  for (let count = 0; count < 4; count++) pipe.receive(item)
  assert.equal(session.state, 'closed')
})

function server(pipe: MemoryPipe, dispatcher: Partial<Dispatcher> = {}, clock = new FakeClock()) {
  const whole: Dispatcher = {
    instance: 'i',
    methods: [methods.echo, methods.items],
    serve: async (call) => call.input,
    ...dispatcher,
  }
  const events = { idle: 0, closed: [] as (string | undefined)[] }
  const session = new ServerSession(pipe, whole, { limits: defaultLimits, clock }, 'c1', {
    onIdle: () => {
      events.idle += 1
    },
    onClosed: (reason) => void events.closed.push(reason?.code),
  })
  return { session, events, clock }
}

const hello = json(frameType.hello, {
  covey: 1,
  codecs: ['msgpack'],
  maxFrameBytes: 1 << 20,
  streamWindowBytes: 1 << 16,
})

function call(id: number, input: unknown, timeoutMs = 1_000): Uint8Array {
  return frame(frameType.call, id, (out) => {
    writeCallHead({ method: 0, timeoutMs, trace: undefined, metadata: new Map() }, out)
    encodeMsgpack(input, out)
  })
}

async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
}

test('a peer that goes away has its calls cancelled', async () => {
  const pipe = memoryPipe()
  const reasons: string[] = []
  const { events } = server(pipe, {
    serve: (served) =>
      new Promise((_, reject) => {
        served.onCancel((reason) => {
          reasons.push(reason.code)
          reject(reason)
        })
      }),
  })
  pipe.receive(hello)
  await settled()
  pipe.receive(call(1, 'x'))
  pipe.receive(call(2, 'y'))
  pipe.disconnect()
  assert.deepEqual(reasons, ['CANCELLED', 'CANCELLED'])
  assert.deepEqual(events.closed, ['CONNECTION_LOST'])
})

test('a peer that does not take its answers is read no more until it does', async () => {
  const pipe = memoryPipe()
  server(pipe)
  pipe.receive(hello)
  await settled()
  pipe.unsentBytes = 2 * 1024 * 1024
  pipe.receive(call(1, 'x'))
  assert.equal(pipe.paused, true)
  pipe.drain()
  assert.equal(pipe.paused, false)
})

test('a client that prefers JSON is answered in JSON', async () => {
  const pipe = memoryPipe()
  server(pipe)
  const wishes = { covey: 1, codecs: ['cbor', 'json', 'msgpack'] }
  pipe.receive(json(frameType.hello, { ...wishes, maxFrameBytes: 4096, streamWindowBytes: 4096 }))
  await settled()
  pipe.turn()
  assert.match(new TextDecoder().decode(pipe.writes.pop()), /"codec":"json"/)
  pipe.receive(
    frame(frameType.call, 1, (out) => {
      writeCallHead({ method: 0, timeoutMs: 1_000, trace: undefined, metadata: new Map() }, out)
      out.text('{"n":[1,null,"ü"]}')
    }),
  )
  await settled()
  pipe.turn()
  assert.match(new TextDecoder().decode(pipe.writes.pop()), /\{"n":\[1,null,"ü"\]\}$/)
})

test('a table of methods that is longer than the client takes is told, and harms nobody', async () => {
  const many = Array.from({ length: 5_000 }, (_, n) => ({ ...methods.echo, path: `t.method${n}` }))
  for (const [maxFrameBytes, expected] of [
    [1 << 20, '"t.method4999"'],
    [4_096, 'MESSAGE_TOO_LARGE'],
  ] as const) {
    const pipe = memoryPipe()
    server(pipe, { methods: many })
    const wishes = { covey: 1, codecs: ['msgpack'], streamWindowBytes: 4_096, maxFrameBytes }
    pipe.receive(json(frameType.hello, wishes))
    await settled()
    pipe.turn()
    assert.ok(new TextDecoder().decode(pipe.writes.at(-1)).includes(expected), expected)
  }
})

test('who comes while the server stops is told so', () => {
  const pipe = memoryPipe()
  const { session } = server(pipe)
  session.drain()
  pipe.receive(hello)
  pipe.turn()
  assert.match(new TextDecoder().decode(pipe.writes.at(-1)), /DRAINING/)
})

test('other versions and clients without a common codec are told why', async () => {
  for (const [said, expected] of [
    [{ covey: 9, codecs: ['msgpack'] }, /protocol version 9; this side speaks 1 to 2/],
    [
      { covey: 1, codecs: ['bson'], maxFrameBytes: 4096, streamWindowBytes: 4096 },
      /no common codec/,
    ],
    [{ covey: 1, codecs: 'msgpack' }, /codecs is not a list/],
  ] as const) {
    const pipe = memoryPipe()
    const { events } = server(pipe)
    pipe.receive(json(frameType.hello, said))
    assert.equal(events.closed[0], 'PROTOCOL_ERROR')
    const text = new TextDecoder().decode(pipe.writes.at(-1))
    assert.match(text, expected)
  }
})

test('50,000 damaged conversations: no answer to the wrong call, nothing left running', async () => {
  const seed = Number(process.env.COVEY_SEED ?? Date.now() % 2 ** 31)
  const random = seededRandom(seed)
  const good = Buffer.concat([hello, call(1, { n: 1 }), call(2, [1, 2, 3]), call(3, 'text')])
  for (let round = 0; round < 50_000; round++) {
    const pipe = memoryPipe()
    const { session, events } = server(pipe)
    try {
      pipe.receive(mutate(good, random))
      pipe.turn()
      if (round % 100 === 0) await settled()
      pipe.disconnect()
    } catch (cause) {
      throw new Error(`seed ${seed}, round ${round}`, { cause })
    }
    assert.equal(session.running, 0)
    assert.equal(events.closed.length, 1)
  }
})
