import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { CoveyError } from '../../error/covey-error.ts'
import { FrameDecoder } from './frame-decoder.ts'
import { type Frame, frameType } from './frame-type.ts'
import { FrameWriter } from './frame-writer.ts'

interface Seen {
  readonly type: number
  readonly flags: number
  readonly id: number
  readonly body: number[]
}

const frames = fc.array(
  fc.record(
    {
      type: fc.integer({ min: 0, max: 255 }),
      flags: fc.integer({ min: 0, max: 255 }),
      id: fc.integer({ min: 0, max: 0xffffffff }),
      body: fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 300 }),
    },
    { noNullPrototype: true },
  ),
  { maxLength: 8 },
)

function encode(list: readonly Seen[]): Uint8Array {
  const writer = new FrameWriter(1 << 20)
  for (const { type, flags, id, body } of list) {
    writer.frame(type, flags, id, (out) => out.raw(new Uint8Array(body)))
  }
  return writer.take()
}

function decode(chunks: readonly Uint8Array[], maxFrameBytes = 1 << 20): Seen[] {
  const seen: Seen[] = []
  const decoder = new FrameDecoder(maxFrameBytes)
  for (const chunk of chunks) decoder.push(chunk, (frame) => seen.push(plain(frame)))
  return seen
}

function plain({ type, flags, id, bytes, start, end }: Frame): Seen {
  return { type, flags, id, body: [...bytes.subarray(start, end)] }
}

test('frames come out as they went in, however the bytes are split', () => {
  fc.assert(
    fc.property(frames, fc.array(fc.integer({ min: 1, max: 40 })), (list, cuts) => {
      const bytes = encode(list)
      const chunks: Uint8Array[] = []
      let at = 0
      for (const cut of cuts) {
        chunks.push(bytes.subarray(at, at + cut))
        at += cut
      }
      chunks.push(bytes.subarray(at))
      assert.deepEqual(decode(chunks), list)
    }),
  )
})

test('one byte at a time, and every single split, give the same frames', () => {
  const list = [
    { type: 3, flags: 1, id: 7, body: [1, 2, 3] },
    { type: 12, flags: 0, id: 0, body: [] },
    { type: 4, flags: 0, id: 0xffffffff, body: Array.from({ length: 300 }, (_, i) => i % 256) },
  ]
  const bytes = encode(list)
  assert.deepEqual(decode([...bytes].map((byte) => new Uint8Array([byte]))), list)
  for (let cut = 0; cut <= bytes.length; cut++) {
    assert.deepEqual(decode([bytes.subarray(0, cut), bytes.subarray(cut)]), list)
  }
})

test('a length over the limit is refused before anything is allocated', () => {
  const decoder = new FrameDecoder(1024)
  const giant = new Uint8Array([0xff, 0xff, 0xff, 0xff, 3, 0])
  assert.throws(() => decoder.push(giant, () => {}), { code: 'MESSAGE_TOO_LARGE' })
})

test('a length too small for a head is refused', () => {
  for (const length of [0, 5]) {
    const decoder = new FrameDecoder(1024)
    const bytes = new Uint8Array([0, 0, 0, length, 1, 1, 1, 1, 1, 1])
    assert.throws(() => decoder.push(bytes, () => {}), { code: 'PROTOCOL_ERROR' })
  }
})

test('a decoder that was stopped hands out nothing more', () => {
  const decoder = new FrameDecoder(1024)
  const seen: number[] = []
  const bytes = encode([1, 2, 3].map((id) => ({ type: 3, flags: 0, id, body: [] })))
  decoder.push(bytes, ({ id }) => {
    seen.push(id)
    decoder.stop()
  })
  decoder.push(bytes, ({ id }) => seen.push(id))
  assert.deepEqual(seen, [1])
})

test('a frame that is too large, or whose body fails, leaves no trace', () => {
  const writer = new FrameWriter(100)
  writer.frame(frameType.ping, 0, 0)
  assert.throws(() => writer.frame(3, 0, 1, (out) => out.raw(new Uint8Array(200))), {
    code: 'MESSAGE_TOO_LARGE',
  })
  const broken = () => {
    throw new CoveyError('UNENCODABLE', 'no')
  }
  assert.throws(() => writer.frame(3, 0, 1, broken), { code: 'UNENCODABLE' })
  writer.frame(frameType.pong, 0, 0)
  assert.deepEqual(
    decode([writer.take()]).map(({ type }) => type),
    [frameType.ping, frameType.pong],
  )
})

test('a large frame in pieces lies in memory of its own size, and an announced one takes little', () => {
  const list = [
    { type: 7, flags: 0, id: 1, body: new Array(100_000).fill(1) },
    { type: 7, flags: 0, id: 2, body: new Array(600_000).fill(2) },
  ]
  const bytes = encode(list)
  for (const first of [2, 4, 11, 65_536]) {
    const sizes: number[] = []
    const decoder = new FrameDecoder(1 << 20)
    for (let at = 0; at < bytes.length; at += at === 0 ? first : 65_536) {
      const chunk = bytes.slice(at, at === 0 ? first : at + 65_536)
      decoder.push(chunk, (frame) => {
        sizes.push(frame.bytes.buffer.byteLength)
        assert.deepEqual(plain(frame), list[sizes.length - 1])
      })
    }
    assert.deepEqual(sizes, [100_010, 600_010])
  }
})

test('of bytes that are only lent, nothing is kept: neither large frames nor parts of any', () => {
  const list = [
    { type: 7, flags: 0, id: 1, body: new Array(20_000).fill(1) },
    { type: 7, flags: 0, id: 2, body: [1, 2, 3] },
    { type: 7, flags: 0, id: 3, body: new Array(30_000).fill(3) },
  ]
  const bytes = encode(list)
  const shared = new Uint8Array(36_000)
  const decoder = new FrameDecoder(1 << 20, true)
  const large: Frame[] = []
  const seen: Seen[] = []
  for (let at = 0; at < bytes.length; at += shared.length) {
    const chunk = bytes.subarray(at, at + shared.length)
    shared.set(chunk)
    decoder.push(shared.subarray(0, chunk.length), (frame) => {
      seen.push(plain(frame))
      if (frame.end - frame.start > 16_384) large.push(frame)
    })
    shared.fill(0xee)
  }
  assert.deepEqual(seen, list)
  assert.deepEqual(large.map(plain), [list[0], list[2]])
})
