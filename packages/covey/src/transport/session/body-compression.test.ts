import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { zstdCompressSync } from 'node:zlib'
import { compressedFlag, type Frame, frameType } from '../../codec/frame/frame-type.ts'
import { FrameWriter } from '../../codec/frame/frame-writer.ts'
import { encodeMsgpack } from '../../codec/msgpack/encode.ts'
import { FakeClock } from '../../testing/fake-clock.ts'
import { memoryPipe } from '../../testing/memory-pipe.ts'
import { sessionPair } from '../../testing/session-pair.ts'
import { until } from '../../testing/until.ts'
import { defaultLimits } from '../limits.ts'
import type { LinkOptions } from '../link-options.ts'
import { createKeyRing } from '../tcp/create-key-ring.ts'
import { zstd } from '../tcp/zstd.ts'
import { FrameLink, type LinkOwner } from './frame-link.ts'

const packing: LinkOptions = { compression: zstd, compressAboveBytes: 1_000 }
const keys = createKeyRing([{ id: 'may', secret: 'sesame-of-may-0123456789-0123456789' }])

/** Text of some size that compresses about 4:1. */
function prose(size: number): string {
  return Buffer.from(randomBytes(size / 4))
    .toString('hex')
    .padEnd(size, 'and so on, ')
}

const flagsOf = (parts: readonly { bytes: Uint8Array }[], type: number) =>
  parts.filter(({ bytes }) => bytes[4] === type).map(({ bytes }) => bytes[5]! & compressedFlag)

/** Calls `echo` and moves bytes until it is answered, however long inflating takes. */
async function echoed(pair: ReturnType<typeof sessionPair>, input: unknown): Promise<string> {
  let answer: string | undefined
  void pair.echo(input).then((value) => {
    answer = value
  })
  await until(async () => {
    await pair.pump()
    return answer !== undefined
  }, 'the answer came')
  return answer!
}

test('large bodies travel compressed both ways and come back as they were', async () => {
  for (const links of [
    packing,
    { ...packing, keys },
    { ...packing, integrity: 'crc32c' as const },
  ]) {
    const pair = sessionPair({ client: links, server: links })
    assert.equal(await pair.connect(), 'ready')
    for (const size of [2_000, 60_000, 200_000, 1_000_000]) {
      pair.sent.length = 0
      const text = prose(size)
      assert.equal(await echoed(pair, text), JSON.stringify(text))
      assert.deepEqual(flagsOf(pair.sent, frameType.call), [compressedFlag])
      assert.deepEqual(flagsOf(pair.sent, frameType.result), [compressedFlag])
      const bytes = pair.sent.reduce((sum, part) => sum + part.bytes.length, 0)
      assert.ok(bytes < 2 * 0.8 * size, `${bytes} bytes for ${size}, twice`)
    }
  }
})

test('small bodies, and those that get no smaller, travel as they are', async () => {
  const pair = sessionPair({ client: packing, server: packing })
  await pair.connect()
  for (const input of ['small', new Uint8Array(randomBytes(50_000))]) {
    pair.sent.length = 0
    await pair.echo(input)
    assert.deepEqual(flagsOf(pair.sent, frameType.call), [0])
    assert.deepEqual(flagsOf(pair.sent, frameType.result), [0])
  }
})

test('what a receiver would take for a bomb is not sent as one', async () => {
  const pair = sessionPair({ client: packing, server: packing })
  await pair.connect()
  pair.sent.length = 0
  const zeros = 'x'.repeat(1_000_000)
  assert.equal(await echoed(pair, zeros), JSON.stringify(zeros))
  assert.deepEqual(flagsOf(pair.sent, frameType.call), [0])
})

test('nobody compresses unless told to, nor for a peer that cannot inflate', async () => {
  const able: LinkOptions = { compression: zstd }
  const cases: [LinkOptions, LinkOptions, call: number, result: number][] = [
    [able, able, 0, 0],
    [packing, able, compressedFlag, 0],
    [able, packing, 0, compressedFlag],
    [packing, {}, 0, 0],
    [{}, packing, 0, 0],
  ]
  for (const [client, server, call, result] of cases) {
    const pair = sessionPair({ client, server })
    assert.equal(await pair.connect(), 'ready')
    const text = prose(5_000)
    assert.equal(await pair.echo(text), JSON.stringify(text))
    assert.deepEqual(flagsOf(pair.sent, frameType.call), [call])
    assert.deepEqual(flagsOf(pair.sent, frameType.result), [result])
  }
})

/** A link that takes compressed bodies, and what it delivered. */
function receiver(maxFrameBytes = 1 << 20) {
  const pipe = memoryPipe()
  const seen = { frames: [] as Frame[], closed: '' }
  const owner: LinkOwner = {
    hasCalls: false,
    answers: true,
    onFrame: (frame) => void seen.frames.push(frame),
    onClosed: (reason) => {
      seen.closed = `${reason?.code}: ${reason?.message}`
    },
  }
  const limits = { ...defaultLimits, maxFrameBytes }
  const link = new FrameLink(pipe, owner, { limits, clock: new FakeClock() })
  link.established(maxFrameBytes)
  link.compress(zstd, Number.POSITIVE_INFINITY)
  return { pipe, link, seen }
}

/** A frame with a compressed body that declares a size. */
function packedFrame(
  packed: Uint8Array,
  plainBytes: number,
  id = 1,
  type: number = frameType.call,
) {
  const writer = new FrameWriter(1 << 30)
  writer.frame(type, compressedFlag, id, (out) => {
    out.u32(plainBytes)
    out.raw(packed)
  })
  return writer.take()
}

function plainFrame(id: number): Uint8Array {
  const writer = new FrameWriter(1 << 20)
  writer.frame(frameType.cancel, 0, id)
  return writer.take()
}

const large = Buffer.from(prose(300_000))

test('frames behind a body that is inflated beside the event loop wait for it, in their order', async () => {
  const { pipe, seen } = receiver()
  const small = Buffer.from(prose(9_000))
  pipe.receive(
    Buffer.concat([
      plainFrame(1),
      packedFrame(zstd.pack(large), large.length, 2),
      packedFrame(zstd.pack(small), small.length, 3),
      plainFrame(4),
      packedFrame(zstd.pack(large), large.length, 5),
      plainFrame(6),
    ]),
  )
  assert.deepEqual(
    seen.frames.map(({ id }) => id),
    [1],
  )
  assert.equal(pipe.paused, true)
  // What was under way when the reading stopped.
  pipe.receive(plainFrame(7))
  await until(() => seen.frames.length === 7, 'all frames were delivered')
  assert.deepEqual(
    seen.frames.map(({ id }) => id),
    [1, 2, 3, 4, 5, 6, 7],
  )
  assert.equal(pipe.paused, false)
  const [, second] = seen.frames
  assert.equal(second!.flags, 0)
  assert.equal(Buffer.compare(second!.bytes.subarray(second!.start, second!.end), large), 0)
})

test('a link that closes lets go of what it inflates', async () => {
  const ways = [
    ({ link }: ReturnType<typeof receiver>) => link.end(),
    ({ pipe }: ReturnType<typeof receiver>) => pipe.disconnect(),
  ]
  for (const close of ways) {
    const end = receiver()
    end.pipe.receive(Buffer.concat([packedFrame(zstd.pack(large), large.length), plainFrame(2)]))
    close(end)
    const other = receiver()
    other.pipe.receive(packedFrame(zstd.pack(large), large.length))
    await until(() => other.seen.frames.length === 1, 'a later one is done')
    await new Promise((resolve) => setImmediate(resolve))
    assert.deepEqual(end.seen.frames, [])
  }
})

test('a slow reader that is inflating reads on only when both are over', async () => {
  const { pipe, link, seen } = receiver()
  pipe.receive(packedFrame(zstd.pack(large), large.length))
  pipe.unsentBytes = 2 * 1024 * 1024
  link.holdIfFull()
  await until(() => seen.frames.length === 1, 'the body is inflated')
  assert.equal(pipe.paused, true)
  pipe.drain()
  assert.equal(pipe.paused, false)
})

const megabyte = 1 << 20
const bomb = zstdCompressSync(Buffer.alloc(100 * megabyte))
const spread = zstdCompressSync(Buffer.alloc(8_000))

const bombs: [title: string, frame: Uint8Array, expected: RegExp][] = [
  [
    '100 MiB and says so',
    packedFrame(bomb, 100 * megabyte),
    /104857600 bytes; the limit is 1048576/,
  ],
  ['100 MiB and says 1 MiB', packedFrame(bomb, megabyte), /more than 100 times/],
  ['100 MiB and says 300 KiB', packedFrame(bomb, 300 * 1024), /cannot be inflated/],
  ['100 MiB and says 8 KiB', packedFrame(bomb, 8 * 1024), /cannot be inflated/],
  ['100 MiB and says nothing', packedFrame(bomb, 0), /cannot be inflated/],
  ['4 GiB', packedFrame(bomb, 0xffffffff), /the limit is/],
  ['less than it says', packedFrame(spread, 8_001), /cannot be inflated/],
  [
    'more than 100 times its size',
    packedFrame(zstd.pack(Buffer.alloc(50_000)), 50_000),
    /100 times/,
  ],
  ['no zstd at all', packedFrame(randomBytes(500), 5_000), /cannot be inflated/],
]

for (const [title, frame, expected] of bombs) {
  test(`a body that is ${title} ends the connection`, async () => {
    const { pipe, seen } = receiver()
    pipe.receive(Buffer.concat([frame, plainFrame(2)]))
    await until(() => seen.closed !== '', 'the connection is closed')
    assert.match(seen.closed, /^PROTOCOL_ERROR: a compressed body/)
    assert.match(seen.closed, expected)
    assert.deepEqual(seen.frames, [])
    pipe.turn()
    assert.match(Buffer.from(pipe.writes.pop()!).toString(), /PROTOCOL_ERROR/)
  })
}

test('a frame too short for a size, and one that may not be compressed', async () => {
  const { pipe, seen } = receiver()
  const writer = new FrameWriter(1024)
  writer.frame(frameType.call, compressedFlag, 1, (out) => out.u16(7))
  pipe.receive(writer.take())
  assert.match(seen.closed, /its size is missing/)
  const other = receiver()
  other.pipe.receive(packedFrame(zstd.pack(large), large.length, 1, frameType.credit))
  assert.equal(other.seen.frames[0]!.flags, compressedFlag)
})

test('many bombs take no memory', async () => {
  const frames = [bombs[1]![1], bombs[2]![1], bombs[3]![1]]
  const explode = async () => {
    const { pipe, seen } = receiver()
    pipe.receive(frames[Math.floor(Math.random() * frames.length)]!)
    await until(() => seen.closed !== '', 'the connection is closed')
  }
  for (let round = 0; round < 20; round++) await explode()
  const before = process.memoryUsage().rss
  for (let round = 0; round < 150; round++) await explode()
  const grown = process.memoryUsage().rss - before
  assert.ok(grown < 64 * megabyte, `${grown} bytes`)
})

test('credit of a stream counts plain bodies, so a reader holds no more than its window', async () => {
  const { size, wire } = ((): { size: number; wire: number } => {
    const pipe = memoryPipe()
    const owner: LinkOwner = { hasCalls: false, answers: true, onFrame() {}, onClosed() {} }
    const link = new FrameLink(pipe, owner, { limits: defaultLimits, clock: new FakeClock() })
    link.established(megabyte)
    link.compress(zstd, 100)
    const size = link.send(frameType.item, 0, 1, (out) => encodeMsgpack(prose(4_000), out))
    pipe.turn()
    return { size, wire: pipe.writes.reduce((sum, { length }) => sum + length, 0) }
  })()
  assert.equal(size, 10 + 3 + 4_000)
  assert.ok(wire < size)
})
