import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Call } from '../../call/call.ts'
import { frameType } from '../../codec/frame/frame-type.ts'
import { CoveyError } from '../../error/covey-error.ts'
import { FakeClock } from '../../testing/fake-clock.ts'
import { fourMethods, items, talk, upload } from '../../testing/four-kinds.ts'
import { memoryPipe } from '../../testing/memory-pipe.ts'
import { mutate } from '../../testing/mutate.ts'
import { seededRandom } from '../../testing/random.ts'
import {
  callFrame,
  clientEnd,
  frameOf,
  helloFrame,
  saidBy,
  serverEnd,
  settled,
  valueFrame,
} from '../../testing/session-ends.ts'
import { defaultLimits, type Limits } from '../limits.ts'
import { ServerSession } from './server-session.ts'

// What a session does with the frames of streams, against a peer that is played by the test.

const creditFrame = (id: number, bytes: number) =>
  frameOf(frameType.credit, id, (out) => out.u32(bytes))
const item = (id: number, value: unknown) => valueFrame(frameType.item, id, value)
const end = (id: number) => frameOf(frameType.end, id)

/** Bytes of a stream that an end is sent ahead. */
const small = { streamWindowBytes: 1_024, maxFrameBytes: 64 * 1_024 }

/** A client whose server takes 1,024 bytes ahead. */
const client = (limits: Partial<Limits> = {}) =>
  clientEnd(fourMethods, { limits, welcome: { streamWindowBytes: 1_024 } })

const inputsOf = ({ input }: Call) => input as AsyncIterable<unknown>

async function* listed(...values: unknown[]) {
  yield* values
}

async function* endless(value: unknown) {
  for (;;) yield value
}

test('a client sends the call, its inputs, and an end; no input goes with the call', async () => {
  const { pipe, session } = await client()
  const result = session.invoke(new Call(upload, listed('a', undefined, 2)))
  await settled()
  assert.deepEqual(saidBy(pipe), [
    ['call', 1],
    ['item', 1, 'a'],
    ['item', 1],
    ['item', 1, 2],
    ['end', 1],
  ])
  pipe.receive(valueFrame(frameType.result, 1, 'done'))
  assert.equal(await result, 'done')
  assert.equal(session.pending, 0)
})

test('a client sends no more than the server grants', async () => {
  const { pipe, session } = await client()
  const result = session.invoke(new Call(upload, endless('x'.repeat(88))))
  result.catch(() => {})
  await settled()
  // Each takes 100 bytes; the last one may pass the 1,024.
  const sent = () => saidBy(pipe).filter(([name]) => name === 'item').length
  assert.equal(sent(), 11)
  pipe.receive(creditFrame(1, 76))
  await settled()
  assert.equal(sent(), 0)
  pipe.receive(creditFrame(1, 100))
  await settled()
  assert.equal(sent(), 1)
  await session.close()
})

test('a client stops its source when the answer comes before the end', async () => {
  const { pipe, session } = await client()
  let left = false
  async function* source() {
    try {
      for (;;) yield 'x'.repeat(200)
    } finally {
      left = true
    }
  }
  const result = session.invoke(new Call(upload, source()))
  await settled()
  saidBy(pipe)
  pipe.receive(valueFrame(frameType.result, 1, 'enough'))
  assert.equal(await result, 'enough')
  pipe.receive(creditFrame(1, 100_000))
  await settled()
  assert.deepEqual([left, saidBy(pipe)], [true, []])
})

test('a call that is given up says why, and hides what the source threw', async () => {
  const { pipe, session } = await client()
  const known = new Call(upload, endless(1))
  session.invoke(known).catch(() => {})
  known.cancel(new CoveyError('DEADLINE_EXCEEDED', 'too late', { details: { secret: 1 } }))
  const failing = session.invoke(
    new Call(
      upload,
      (async function* () {
        yield* []
        throw new Error('password 123')
      })(),
    ),
  )
  await assert.rejects(failing, { code: 'CANCELLED', message: 'the source of the inputs failed' })
  const cancels = saidBy(pipe).filter(([name]) => name === 'cancel')
  assert.deepEqual(cancels, [
    ['cancel', 1, { code: 'DEADLINE_EXCEEDED', message: 'too late' }],
    ['cancel', 2, { code: 'CANCELLED', message: 'the source of the inputs failed' }],
  ])
})

test('a server that sends more of a stream than it may ends the connection', async () => {
  for (const [method, input] of [
    [items, undefined],
    [talk, listed()],
  ] as const) {
    const { pipe, session } = await client(small)
    await session.invoke(new Call(method, input))
    const large = item(1, 'x'.repeat(30_000))
    // The last one may pass the window.
    pipe.receive(large)
    assert.equal(session.state, 'open')
    pipe.receive(large)
    assert.equal(session.state, 'closed')
    assert.match(String(saidBy(pipe).at(-1)), /^error,0,.*PROTOCOL_ERROR.*more of a stream/)
  }
})

test('a credit that makes no sense ends the connection, on both sides', async () => {
  const ours = await client()
  ours.session.invoke(new Call(upload, listed())).catch(() => {})
  ours.pipe.receive(frameOf(frameType.credit, 1, (out) => out.u16(1)))
  assert.equal(ours.session.state, 'closed')
  const theirs = await serverEnd(fourMethods, () => new Promise(() => {}))
  theirs.pipe.receive(callFrame(1, 1))
  theirs.pipe.receive(frameOf(frameType.credit, 1, (out) => out.u16(1)))
  assert.deepEqual(theirs.closed, ['PROTOCOL_ERROR'])
  const unknown = await client()
  unknown.pipe.receive(creditFrame(77, 1))
  assert.equal(unknown.session.state, 'closed')
})

test('a server gives a handler its inputs, and grants more when half a window is taken', async () => {
  const seen: unknown[] = []
  const gate = Promise.withResolvers<void>()
  const { pipe } = await serverEnd(
    fourMethods,
    async (served) => {
      await gate.promise
      for await (const input of inputsOf(served)) seen.push(input)
      return seen.length
    },
    { limits: small },
  )
  pipe.receive(callFrame(1, 2))
  for (let count = 0; count < 6; count++) pipe.receive(item(1, 'x'.repeat(88)))
  await settled()
  assert.deepEqual(saidBy(pipe), [])
  gate.resolve()
  await settled()
  assert.deepEqual(saidBy(pipe), [['credit', 1, '\0\0\u0002\u0058']])
  pipe.receive(item(1, undefined))
  pipe.receive(end(1))
  await settled()
  assert.deepEqual(saidBy(pipe), [['result', 1, 7]])
})

test('a client that sends more of a stream than it may ends the connection, read or not', async () => {
  for (const leave of [false, true]) {
    const { pipe, closed, session } = await serverEnd(
      fourMethods,
      async (served) => {
        if (leave) for await (const _ of inputsOf(served)) break
        return new Promise(() => {})
      },
      { limits: small },
    )
    pipe.receive(callFrame(1, 2))
    const large = item(1, 'x'.repeat(30_000))
    // The one that is read is granted again, the last one may pass the window.
    for (let count = 0; count < (leave ? 2 : 1); count++) pipe.receive(large)
    await settled()
    assert.deepEqual(closed, [])
    pipe.receive(large)
    assert.deepEqual([closed, session.running], [['PROTOCOL_ERROR'], 0])
  }
})

test('what was under way when a call ended is ignored', async () => {
  const { pipe, closed } = await serverEnd(fourMethods, async () => 'early')
  pipe.receive(callFrame(1, 2))
  await settled()
  assert.deepEqual(saidBy(pipe), [['result', 1, 'early']])
  for (const late of [item(1, 'x'), end(1), frameOf(frameType.cancel, 1), creditFrame(1, 5)]) {
    pipe.receive(late)
  }
  assert.deepEqual([closed, saidBy(pipe)], [[], []])
})

test('an element for a call that takes none ends the connection', async () => {
  for (const nonsense of [item(1, 'x'), end(1), item(0, 'x'), end(0)]) {
    const { pipe, closed } = await serverEnd(fourMethods, () => new Promise(() => {}))
    pipe.receive(callFrame(1, 0, 'input'))
    pipe.receive(nonsense)
    assert.deepEqual(closed, ['PROTOCOL_ERROR'])
  }
})

test('an element that cannot be read ends its call alone', async () => {
  const reasons: string[] = []
  const { pipe, closed } = await serverEnd(fourMethods, async (served) => {
    served.onCancel(({ code }) => reasons.push(code))
    for await (const _ of inputsOf(served));
  })
  pipe.receive(callFrame(1, 2))
  pipe.receive(frameOf(frameType.item, 1, (out) => out.u8(0xc1)))
  await settled()
  const [answer] = saidBy(pipe)
  assert.deepEqual(answer?.slice(0, 2), ['error', 1])
  assert.deepEqual([reasons, closed], [['INVALID_INPUT'], []])
})

test('a handler is told the reason of a cancelled call; one that makes no sense counts as none', async () => {
  const told: string[] = []
  const { pipe } = await serverEnd(fourMethods, (served) => {
    served.onCancel(({ code, message }) => told.push(`${code}: ${message}`))
    return new Promise(() => {})
  })
  const cancel = (id: number, reason: unknown) => valueFrame(frameType.cancel, id, reason)
  const reasons = [
    { code: 'NOT_FOUND', message: 'no such file' },
    { code: 7, message: 'x' },
    { code: 'X'.repeat(200), message: 'x' },
    { code: 'NOT_FOUND', message: 'x'.repeat(2_000) },
    'text',
    null,
  ]
  for (const [id, reason] of reasons.entries()) {
    pipe.receive(callFrame(id + 1, 0, 'input'))
    pipe.receive(cancel(id + 1, reason))
  }
  pipe.receive(callFrame(9, 0, 'input'))
  pipe.receive(frameOf(frameType.cancel, 9, (out) => out.u8(0xc1)))
  const plain = 'CANCELLED: cancelled by the caller'
  assert.deepEqual(told, ['NOT_FOUND: no such file', plain, plain, plain, plain, plain, plain])
})

test('a connection has no more than so many streams of inputs open at once', async () => {
  const { pipe } = await serverEnd(fourMethods, () => new Promise(() => {}), {
    limits: { maxStreamsPerConnection: 2 },
  })
  for (const id of [1, 2, 3]) pipe.receive(callFrame(id, 2))
  pipe.receive(callFrame(4, 0, 'one input'))
  const message = '2 streams of inputs are open on this connection'
  assert.deepEqual(saidBy(pipe), [['error', 3, { code: 'RESOURCE_EXHAUSTED', message }]])
  pipe.receive(frameOf(frameType.cancel, 1))
  pipe.receive(callFrame(5, 2))
  assert.deepEqual(
    saidBy(pipe).map(([name, id]) => [name, id]),
    [['error', 1]],
  )
})

test('a connection that breaks ends both directions of its streams', async () => {
  const ours = await client()
  const result = ours.session.invoke(new Call(upload, endless('x')))
  await settled()
  saidBy(ours.pipe)
  ours.pipe.disconnect()
  await assert.rejects(result, { code: 'CONNECTION_LOST' })
  const ends: string[] = []
  const theirs = await serverEnd(fourMethods, async (served) => {
    try {
      for await (const _ of inputsOf(served));
    } catch (error) {
      ends.push((error as CoveyError).message)
    }
  })
  theirs.pipe.receive(callFrame(1, 2))
  theirs.pipe.receive(item(1, 'x'))
  theirs.pipe.disconnect()
  await settled()
  assert.deepEqual(ends, ['the connection of the caller is gone'])
})

/** Adds up its inputs, or gives them back. */
const handler = async (served: Call): Promise<unknown> => {
  if (served.method.kind === 'duplex') return inputsOf(served)
  if (served.method.kind !== 'clientStream') return served.input
  let count = 0
  for await (const _ of inputsOf(served)) count += 1
  return count
}

test('20,000 damaged conversations of streams leave nothing running on either side', async () => {
  const seed = Number(process.env.COVEY_SEED ?? Date.now() % 2 ** 31)
  const random = seededRandom(seed)
  const asked = Buffer.concat([
    helloFrame,
    callFrame(1, 2),
    item(1, { n: 1 }),
    item(1, 'text'),
    callFrame(2, 3),
    item(2, [1, 2, 3]),
    end(1),
    creditFrame(2, 1_000),
    end(2),
    valueFrame(frameType.cancel, 2, { code: 'CANCELLED', message: 'x' }),
  ])
  const answered = Buffer.concat([
    item(2, 'x'),
    creditFrame(1, 500),
    valueFrame(frameType.result, 1, 2),
    end(2),
  ])
  for (let round = 0; round < 10_000; round++) {
    try {
      await damagedServer(mutate(asked, random), round)
      await damagedClient(mutate(answered, random), round)
    } catch (cause) {
      throw new Error(`seed ${seed}, round ${round}`, { cause })
    }
  }
})

async function damagedServer(bytes: Uint8Array, round: number): Promise<void> {
  const pipe = memoryPipe()
  const closed: unknown[] = []
  const dispatcher = { instance: 'i', methods: fourMethods, serve: handler }
  const options = { limits: defaultLimits, clock: new FakeClock() }
  const session = new ServerSession(pipe, dispatcher, options, 'c', {
    onIdle() {},
    onClosed: (reason) => void closed.push(reason),
  })
  // Behind the hello, so that most of them get past it.
  pipe.receive(round % 4 === 0 ? bytes : helloFrame)
  await Promise.resolve()
  if (round % 4 !== 0) pipe.receive(bytes.subarray(helloFrame.length))
  pipe.turn()
  if (round % 100 === 0) await settled()
  pipe.disconnect()
  assert.deepEqual([session.running, closed.length], [0, 1])
}

async function damagedClient(bytes: Uint8Array, round: number): Promise<void> {
  const { pipe, session } = await client()
  const outcomes = [
    session.invoke(new Call(upload, listed(1, 2))),
    session.invoke(new Call(talk, endless('x'))).then((got) => Array.fromAsync(got as never)),
  ].map((outcome) => outcome.catch((error: unknown) => error))
  if (round % 100 === 0) await settled()
  pipe.turn()
  pipe.receive(bytes)
  pipe.disconnect()
  await Promise.all(outcomes)
  assert.equal(session.pending, 0)
}

test('many small elements beyond the window end the connection as one large one does', async () => {
  const limits = { streamWindowBytes: 1_024, maxFrameBytes: 1 << 20 }
  const { pipe, closed } = await serverEnd(fourMethods, () => new Promise(() => {}), { limits })
  pipe.receive(callFrame(1, 2))
  const tiny = item(1, undefined)
  // 10 bytes each; the 103rd begins below the window.
  for (let count = 0; count < 103; count++) pipe.receive(tiny)
  assert.deepEqual(closed, [])
  pipe.receive(tiny)
  assert.deepEqual(closed, ['PROTOCOL_ERROR'])
})

test('streams that nobody reads hold no more than a connection may, and those with little go on', async () => {
  const limits = {
    streamWindowBytes: 10_000,
    maxUnreadBytes: 100_000,
    maxStreamsPerConnection: 100,
  }
  let read: Promise<unknown> | undefined
  const { pipe, closed, session } = await serverEnd(
    fourMethods,
    async (served) => {
      if (served.input === undefined) return undefined
      read ??= (async () => {
        for await (const value of inputsOf(served)) if (value === 'last') return 'read'
        return 'ended'
      })()
      return new Promise(() => {})
    },
    { limits },
  )
  for (let id = 1; id <= 30; id++) pipe.receive(callFrame(id, 2))
  const large = 'x'.repeat(4_900)
  for (let id = 2; id <= 30; id++) for (let n = 0; n < 2; n++) pipe.receive(item(id, large))
  const refused = saidBy(pipe).filter(([name]) => name === 'error')
  assert.equal(refused.length, 19)
  assert.match(
    String((refused[0]![2] as { message: string }).message),
    /^more than 100000 bytes of streams wait for their readers on this connection, \d+ of this one$/,
  )
  assert.equal(session.running, 11)
  pipe.receive(item(1, 'last'))
  assert.equal(await read, 'read')
  assert.deepEqual(closed, [])
})

test('a client ends a stream that nobody reads when all of them hold too much', async () => {
  const limits = { streamWindowBytes: 10_000, maxUnreadBytes: 20_000, maxStreamsPerConnection: 10 }
  const { pipe, session, clock } = await client(limits)
  const streams: AsyncIterator<unknown>[] = []
  for (let id = 1; id <= 3; id++) {
    const stream = await session.invoke(new Call(items, undefined, { clock }))
    streams.push((stream as AsyncIterable<unknown>)[Symbol.asyncIterator]())
  }
  for (let id = 1; id <= 3; id++) pipe.receive(item(id, 'x'.repeat(8_000)))
  assert.equal(session.pending, 2)
  await assert.rejects(streams[2]!.next(), { code: 'RESOURCE_EXHAUSTED' })
  assert.ok(saidBy(pipe).some(([name, id]) => name === 'cancel' && id === 3))
  // What the others hold can be read, and makes room.
  assert.equal(((await streams[0]!.next()).value as string).length, 8_000)
  pipe.receive(item(2, 'x'.repeat(1_000)))
  assert.equal(session.pending, 2)
})
