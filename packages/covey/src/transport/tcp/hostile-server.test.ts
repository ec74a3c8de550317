import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import { Call } from '../../call/call.ts'
import { frameType } from '../../codec/frame/frame-type.ts'
import type { CoveyError } from '../../error/covey-error.ts'
import { ask, fourKinds, fourMethods, items, talk, upload } from '../../testing/four-kinds.ts'
import { mutate } from '../../testing/mutate.ts'
import { seededRandom } from '../../testing/random.ts'
import { startRawServer } from '../../testing/raw-server.ts'
import {
  clientEnd,
  frameOf,
  jsonFrame,
  settled,
  valueFrame,
  welcomeFrame,
} from '../../testing/session-ends.ts'
import { clientOver, dialTcp } from '../../testing/tcp-line.ts'

// What a client does with servers that break the protocol: its callers get an error, and its memory stays its own.

const mostBytes = 64 * 1024 * 1024

function outcome(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'OK',
    (error: CoveyError) => error.code,
  )
}

/** Writes for as long as the client takes it. */
function pour(socket: Socket, bytes: Uint8Array): void {
  const more = () => {
    while (!socket.destroyed && socket.write(bytes));
  }
  socket.on('drain', more)
  more()
}

/** Calls a server that answers every call with `attack`; the codes that its callers get. */
async function under(
  attack: (id: number, socket: Socket) => void,
  use: 'ask' | 'items' = 'ask',
): Promise<string> {
  await using server = await startRawServer({
    welcome: welcomeFrame(fourMethods),
    onFrame({ type, id }, socket) {
      if (type === frameType.call) attack(id, socket)
    },
  })
  const before = process.memoryUsage.rss()
  await using connection = await dialTcp(server.address)
  const api = clientOver(fourKinds, connection)
  const call = use === 'ask' ? api.ask('?', { timeoutMs: 10_000 }) : readSlowly(api.items())
  const code = await outcome(call)
  const grown = process.memoryUsage.rss() - before
  assert.ok(grown < mostBytes, `${grown} bytes`)
  return code
}

/** Takes one element, then none any more, until the stream breaks. */
async function readSlowly(stream: AsyncIterable<unknown>): Promise<void> {
  const reader = stream[Symbol.asyncIterator]()
  await reader.next()
  await new Promise((resolve) => setTimeout(resolve, 300))
  while (!(await reader.next()).done);
}

test('a frame without end is refused at its length', async () => {
  const code = await under((id, socket) => {
    const head = Buffer.alloc(10)
    head.writeUInt32BE(0x7fffffff)
    head[4] = frameType.result
    head.writeUInt32BE(id, 6)
    socket.write(head)
    pour(socket, Buffer.alloc(1024 * 1024))
  })
  assert.equal(code, 'MESSAGE_TOO_LARGE')
})

test('a stream that asks nobody is cut off at its window', async () => {
  const item = (id: number) => valueFrame(frameType.item, id, 'x'.repeat(60_000))
  const code = await under((id, socket) => pour(socket, item(id)), 'items')
  assert.equal(code, 'PROTOCOL_ERROR')
})

for (const [what, kind, answer] of [
  ['elements', 'ask', (id: number) => valueFrame(frameType.item, id, 1)],
  ['an end', 'ask', (id: number) => frameOf(frameType.end, id)],
  ['one result', 'items', (id: number) => valueFrame(frameType.result, id, 1)],
] as const) {
  test(`${what} for a call of another kind (${kind}) is no answer`, async () => {
    const code = await under((id, socket) => socket.write(answer(id)), kind)
    assert.equal(code, 'PROTOCOL_ERROR')
  })
}

test('errors with a million fields, and results with a million keys, are told as errors', async () => {
  const details = Object.fromEntries(Array.from({ length: 400_000 }, (_, n) => [`k${n}`, n]))
  const error = { code: 'ODD', message: 'm', details }
  assert.equal(
    await under((id, socket) => socket.write(valueFrame(frameType.error, id, error))),
    'MESSAGE_TOO_LARGE',
  )
  const many = new Uint8Array(4_000_000).fill(0xc0)
  const list = Buffer.concat([Buffer.from([0xdd, 0, 0x3d, 0x09, 0]), many])
  const code = await under((id, socket) =>
    socket.write(
      frameOf(frameType.result, id, (out) => {
        for (const byte of list) out.u8(byte)
      }),
    ),
  )
  assert.notEqual(code, 'OK')
})

test('a flood of pings and of farewells grows no queue', async () => {
  const pings = Buffer.concat(Array.from({ length: 10_000 }, () => frameOf(frameType.ping, 0)))
  const code = await under((_, socket) => {
    for (let n = 0; n < 50; n++) socket.write(pings)
    const reason = { code: 'GONE', message: 'no more' }
    socket.write(jsonFrame(frameType.error, reason))
  })
  assert.equal(code, 'GONE')
})

test('a welcome that is none, or has a million methods, is no server', async () => {
  const endless = { covey: 2, codec: 'msgpack', instance: 'i', maxFrameBytes: 1 << 20 }
  for (const welcome of [
    jsonFrame(frameType.welcome, { ...endless, methods: new Array(200_000).fill('a.b') }),
    jsonFrame(frameType.welcome, { ...endless, streamWindowBytes: -1, methods: [] }),
    jsonFrame(frameType.welcome, []),
    frameOf(frameType.welcome, 0),
    frameOf(frameType.result, 1),
    Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'),
  ]) {
    await using server = await startRawServer({ welcome, onFrame() {} })
    const code = await outcome(dialTcp(server.address))
    assert.match(code, /^(PROTOCOL_ERROR|MESSAGE_TOO_LARGE|UNAVAILABLE)$/)
  }
})

test('each of the 256 types of frames is taken, ignored or ends the connection', async () => {
  const ends: number[] = []
  for (let type = 0; type < 256; type++) {
    const { pipe, session } = await clientEnd(fourMethods)
    const call = outcome(session.invoke(new Call(ask, 1)))
    pipe.turn()
    pipe.receive(frameOf(type, 0))
    pipe.receive(valueFrame(frameType.result, 1, 'answer'))
    const code = await call
    assert.equal(code === 'OK', session.state !== 'closed', `type ${type}: ${code}`)
    if (code !== 'OK') ends.push(type)
    else await session.close()
  }
  const { ping, pong, goAway } = frameType
  const taken = Array.from({ length: 128 }, (_, type) => type).filter(
    (fourKinds) => !ends.includes(fourKinds),
  )
  assert.deepEqual(taken, [ping, pong, goAway])
  assert.ok(ends.every((type) => type < 128))
})

const rounds = Number(process.env.COVEY_FUZZ_FRAMES ?? 1_000_000) / 20

test(`${rounds} damaged answers: each call ends, once, whatever comes`, {
  timeout: 3_600_000,
}, async () => {
  const seed = Number(process.env.COVEY_SEED ?? Date.now() % 2 ** 31)
  const random = seededRandom(seed)
  const { item, end, result, error, credit, accepted, goAway, shape } = frameType
  const good = [
    valueFrame(result, 1, { n: 1 }),
    valueFrame(item, 2, 'one'),
    valueFrame(item, 2, new Uint8Array(40)),
    frameOf(end, 2),
    frameOf(credit, 3, (out) => out.u32(1_000)),
    valueFrame(result, 3, 3),
    frameOf(credit, 4, (out) => out.u32(1_000)),
    valueFrame(item, 4, [[[]]]),
    valueFrame(error, 4, { code: 'NOT_FOUND', message: 'no', details: { a: 1 } }),
    frameOf(accepted, 5),
    valueFrame(accepted, 6, 'i~abcdefghijklmnopqrstuv'),
    valueFrame(shape, 0, ['a', 'b']),
    frameOf(goAway, 0),
  ]
  for (let round = 0; round < rounds; round++) {
    const { pipe, session } = await clientEnd(fourMethods)
    const invoke = (call: Call) => outcome(session.invoke(call).then(drain))
    const calls = [
      invoke(new Call(ask, 1)),
      invoke(new Call(items, undefined)),
      invoke(new Call(upload, listed())),
      invoke(new Call(talk, listed())),
      invoke(new Call(ask, 5, { mode: 'notify' })),
      invoke(new Call(ask, 6, { mode: 'submit' })),
    ]
    try {
      const some = good.filter(() => random() < 0.8)
      pipe.receive(mutate(Buffer.concat(some), random))
      if (round % 50 === 0) await settled(1)
      pipe.turn()
      pipe.disconnect()
      await Promise.all(calls)
    } catch (cause) {
      throw new Error(`COVEY_SEED=${seed}, round ${round}`, { cause })
    }
    assert.equal(session.pending, 0, `COVEY_SEED=${seed}, round ${round}`)
  }
})

async function* listed() {
  yield* ['a', 'b', 'c']
}

async function drain(value: unknown): Promise<void> {
  if (typeof value !== 'object' || value === null || !(Symbol.asyncIterator in value)) return
  for await (const _ of value as AsyncIterable<unknown>);
}
