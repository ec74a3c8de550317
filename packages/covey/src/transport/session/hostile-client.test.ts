import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Call } from '../../call/call.ts'
import { FrameDecoder } from '../../codec/frame/frame-decoder.ts'
import { type Frame, frameType } from '../../codec/frame/frame-type.ts'
import { encodeMsgpack } from '../../codec/msgpack/encode.ts'
import { CoveyError } from '../../error/covey-error.ts'
import { fourMethods } from '../../testing/four-kinds.ts'
import { mutate } from '../../testing/mutate.ts'
import { seededRandom } from '../../testing/random.ts'
import {
  callFrame,
  frameOf,
  framesOf,
  helloFrame,
  serverEnd,
  settled,
  valueFrame,
} from '../../testing/session-ends.ts'
import { writeCallHead } from './call-head.ts'

// What a server does with clients that break the protocol: never a hang, never an answer to the wrong call.

async function* few() {
  yield* [1, 2, 3]
}

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** What is held when the garbage is gone, of the heap and beside it: resident memory is up to the allocator. */
function heldBytes(): number {
  for (let round = 0; round < 3; round++) collectGarbage()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/** Serves all kinds, at once. */
async function serve(call: Call): Promise<unknown> {
  if (call.method.kind === 'unary') return call.input
  if (call.method.kind === 'serverStream') return few()
  if (call.method.kind === 'duplex') return call.input
  let count = 0
  for await (const _ of call.input as AsyncIterable<unknown>) count += 1
  return count
}

function farewells(frames: readonly Frame[]): string[] {
  return frames
    .filter(({ type, id }) => type === frameType.error && id === 0)
    .map(
      ({ bytes, start, end }) => JSON.parse(Buffer.from(bytes.slice(start, end)).toString()).code,
    )
}

const lengths: [string, Uint8Array, string][] = [
  ['ffffffff', new Uint8Array([255, 255, 255, 255]), 'MESSAGE_TOO_LARGE'],
  ['the limit and one', new Uint8Array([0x00, 0x40, 0x00, 0x01]), 'MESSAGE_TOO_LARGE'],
  ['0', new Uint8Array([0, 0, 0, 0]), 'PROTOCOL_ERROR'],
  ['5', new Uint8Array([0, 0, 0, 5]), 'PROTOCOL_ERROR'],
]

for (const [name, length, code] of lengths) {
  test(`a length of ${name} gets one error and the end, before anything is allocated`, async () => {
    const { pipe, closed } = await serverEnd(fourMethods, serve)
    pipe.receive(length)
    assert.deepEqual(farewells(framesOf(pipe)), [code])
    assert.deepEqual(closed, [code])
    const refuse = () => {
      const decoder = new FrameDecoder(4 * 1024 * 1024)
      assert.throws(() => decoder.push(length, () => {}), CoveyError)
      return decoder
    }
    // Compiled code and what the compiler knows of it.
    for (let round = 0; round < 20_000; round++) refuse()
    const before = heldBytes()
    const kept: FrameDecoder[] = []
    for (let round = 0; round < 250_000; round++) {
      const decoder = refuse()
      if (round % 250 === 0) kept.push(decoder)
    }
    // Those that are kept hold no memory for what was announced, and the others have left nothing.
    assert.equal(kept.length, 1_000)
    const grown = heldBytes() - before
    assert.ok(grown < 1024 * 1024, `${grown} bytes`)
  })
}

test('each of the 256 types of frames is served, ignored or ends the connection', async () => {
  const ends: number[] = []
  for (let type = 0; type < 256; type++) {
    const { pipe, closed, session } = await serverEnd(fourMethods, serve)
    pipe.receive(frameOf(type, 0))
    pipe.receive(callFrame(7, 0, 'still served'))
    await settled(1)
    const frames = framesOf(pipe)
    const served = frames.some(({ type: answer, id }) => answer === frameType.result && id === 7)
    assert.notEqual(served, closed.length > 0, `type ${type}: ${closed}`)
    if (!served) {
      ends.push(type)
      assert.equal(closed[0], 'PROTOCOL_ERROR', `type ${type}`)
      assert.equal(session.running, 0)
    }
  }
  // Cancel, credit, ping and pong with nothing to do, shape, and all that is optional.
  const { cancel, ping, pong } = frameType
  const ignored = Array.from({ length: 256 }, (_, type) => type).filter((t) => !ends.includes(t))
  assert.deepEqual(ignored, [
    cancel,
    ping,
    pong,
    ...Array.from({ length: 128 }, (_, index) => 128 + index),
  ])
})

test('before the handshake nothing but a hello is taken', async () => {
  for (let type = 0; type < 256; type++) {
    if (type === frameType.hello) continue
    const { pipe, closed } = await serverEnd(fourMethods, serve, { greeted: false })
    pipe.receive(frameOf(type, 1))
    const harmless = type >= 128 || type === frameType.ping || type === frameType.pong
    assert.equal(closed.length, harmless ? 0 : 1, `type ${type}`)
    pipe.receive(callFrame(1, 0, 'no'))
    assert.equal(closed.length, 1, `a call behind type ${type} was taken`)
    assert.equal(
      framesOf(pipe).some(({ type: answer }) => answer === frameType.result),
      false,
    )
  }
})

test('flags of calls: those of the future are ignored, those that must not be set are refused', async () => {
  for (const [flags, expected] of [
    [16, frameType.result],
    [32, frameType.result],
    [128, frameType.result],
    [8, frameType.error],
  ] as const) {
    const { pipe } = await serverEnd(fourMethods, serve)
    const none = new Map<string, string>()
    const head = { method: 0, timeoutMs: 1_000, trace: undefined, metadata: none, baggage: none }
    pipe.receive(
      frameOf(
        frameType.call,
        7,
        (out) => {
          writeCallHead(head, out)
          encodeMsgpack('x', out)
        },
        flags,
      ),
    )
    await settled(1)
    assert.deepEqual(
      framesOf(pipe).map(({ type }) => type),
      [expected],
      `flag ${flags}`,
    )
  }
})

for (const kind of [0, 1, 2, 3]) {
  test(`a number in use ends the connection, and its calls: ${fourMethods[kind]!.kind}`, async () => {
    let cancelled = 0
    const { pipe, closed, session } = await serverEnd(fourMethods, (call) => {
      call.onCancel(() => {
        cancelled += 1
      })
      return new Promise(() => {})
    })
    pipe.receive(callFrame(5, kind))
    pipe.receive(callFrame(6, kind))
    pipe.receive(callFrame(5, 0, 'again'))
    assert.deepEqual(closed, ['PROTOCOL_ERROR'])
    assert.equal(cancelled, 2)
    assert.equal(session.running, 0)
    assert.deepEqual(farewells(framesOf(pipe)), ['PROTOCOL_ERROR'])
  })
}

test('a number is free again when its call is over', async () => {
  const { pipe, closed } = await serverEnd(fourMethods, serve)
  for (const input of ['one', 'two']) {
    pipe.receive(callFrame(5, 0, input))
    await settled(1)
    const [answer] = framesOf(pipe)
    assert.equal(answer?.type, frameType.result)
    assert.deepEqual(
      Buffer.from(answer.bytes.slice(answer.start, answer.end)),
      Buffer.from(valueFrame(frameType.result, 5, input).slice(10)),
    )
  }
  assert.deepEqual(closed, [])
})

test('names of the prototype in metadata, baggage and inputs change no prototype', async () => {
  const keys = Object.getOwnPropertyNames(Object.prototype).join()
  const names = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty']
  const seen: Call[] = []
  const { pipe } = await serverEnd(fourMethods, async (call) => {
    seen.push(call)
    return null
  })
  const odd = new Map(names.map((name) => [name, 'x']))
  const head = { method: 0, timeoutMs: 1_000, trace: undefined, metadata: odd, baggage: odd }
  pipe.receive(
    frameOf(
      frameType.call,
      1,
      (out) => {
        writeCallHead(head, out)
        encodeMsgpack({ constructor: 1, prototype: { polluted: 1 } }, out)
      },
      6,
    ),
  )
  const [call] = seen
  assert.deepEqual([...call!.metadata.keys()], names)
  assert.deepEqual([...call!.baggage.keys()], names)
  assert.deepEqual(call!.input, { constructor: 1, prototype: { polluted: 1 } })
  // {"__proto__": {"polluted": 1}}
  const proto = Buffer.concat([Buffer.from('81a9', 'hex'), Buffer.from('__proto__')])
  const body = Buffer.concat([proto, Buffer.from('81a8', 'hex'), Buffer.from('polluted\u0001')])
  pipe.receive(frameOf(frameType.call, 2, (out) => writeBody(out, body)))
  assert.equal(seen.length, 1, 'it never reached the handler')
  assert.equal(({} as { polluted?: number }).polluted, undefined)
  assert.equal(Object.getOwnPropertyNames(Object.prototype).join(), keys)
})

function writeBody(out: Parameters<typeof writeCallHead>[1], body: Uint8Array): void {
  const none = new Map<string, string>()
  writeCallHead({ method: 0, timeoutMs: 1, trace: undefined, metadata: none, baggage: none }, out)
  for (const byte of body) out.u8(byte)
}

const rounds = Number(process.env.COVEY_FUZZ_FRAMES ?? 1_000_000) / 20

test(`${rounds} damaged conversations of all kinds of calls leave nothing running`, {
  timeout: 3_600_000,
}, async () => {
  const seed = Number(process.env.COVEY_SEED ?? Date.now() % 2 ** 31)
  const random = seededRandom(seed)
  const { call, notify, submit, item, end, credit, cancel, shape } = frameType
  const good = [
    callFrame(1, 0, { n: 1 }),
    callFrame(2, 1),
    frameOf(credit, 2, (out) => out.u32(1_000)),
    callFrame(3, 2),
    valueFrame(item, 3, [1, 2]),
    valueFrame(item, 3, 'text'),
    frameOf(end, 3),
    callFrame(4, 3),
    valueFrame(item, 4, { deep: [[[]]] }),
    valueFrame(cancel, 4, { code: 'CANCELLED', message: 'enough' }),
    callFrame(5, 0, 'later', notify),
    callFrame(6, 0, 'later', submit),
    frameOf(shape, 0, (out) => {
      out.u16(0)
      encodeMsgpack(['a', 'b'], out)
    }),
    callFrame(7, 0, new Map([['k', 1n]]), call),
  ]
  for (let round = 0; round < rounds; round++) {
    const some = good.filter(() => random() < 0.6)
    const first = random() < 0.5 ? [helloFrame] : [helloFrame, helloFrame.slice(0, 3)]
    const { pipe, session, closed } = await serverEnd(fourMethods, serve, { greeted: false })
    try {
      pipe.receive(first[0]!)
      await null
      await null
      await null
      pipe.receive(mutate(Buffer.concat([...some, ...first.slice(1)]), random))
      pipe.turn()
      if (round % 50 === 0) await settled(1)
      pipe.disconnect()
    } catch (cause) {
      throw new Error(`COVEY_SEED=${seed}, round ${round}`, { cause })
    }
    assert.equal(session.running, 0, `COVEY_SEED=${seed}, round ${round}`)
    assert.equal(closed.length, 1, `COVEY_SEED=${seed}, round ${round}`)
  }
})
