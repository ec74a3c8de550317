import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ByteWriter } from '../base/byte-writer.ts'
import { smallSlabs } from '../testing/small-slabs.ts'
import type { Codec } from './codec.ts'
import { jsonCodec } from './json-codec.ts'
import { msgpackCodec } from './msgpack-codec.ts'

function encode(codec: Codec, value: unknown): Uint8Array {
  const out = new ByteWriter(smallSlabs(16))
  codec.encode(value, out)
  return out.take()
}

function roundTrip(codec: Codec, value: unknown): unknown {
  const bytes = encode(codec, value)
  return codec.decode(bytes, 0, bytes.length)
}

const key = fc.string({ unit: 'grapheme', maxLength: 40 }).filter((text) => text !== '__proto__')

/** What JSON can say. */
const { json } = fc.letrec((tie) => ({
  json: fc.oneof(
    { maxDepth: 4 },
    fc.constant(null),
    fc.boolean(),
    fc.integer(),
    fc.maxSafeInteger(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).filter((number) => !Object.is(number, -0)),
    fc.string({ unit: 'grapheme', maxLength: 400 }),
    fc.array(tie('json'), { maxLength: 20 }),
    fc.dictionary(key, tie('json'), { maxKeys: 20, noNullPrototype: true }),
  ),
}))

for (const codec of [msgpackCodec, jsonCodec]) {
  test(`${codec.name}: what JSON can say survives`, () => {
    fc.assert(
      fc.property(json, (value) => assert.deepEqual(roundTrip(codec, value), value)),
      { numRuns: 2_000 },
    )
  })

  test(`${codec.name}: deep nesting is refused on both sides, and breaks nothing`, () => {
    let deep: unknown = 1
    for (let level = 0; level < 65; level++) deep = [deep]
    if (codec === msgpackCodec) {
      assert.throws(() => encode(codec, deep), { code: 'UNENCODABLE' })
    }
    const levels = 1_000_000
    const bytes =
      codec === msgpackCodec
        ? new Uint8Array(levels).fill(0x91)
        : new TextEncoder().encode('['.repeat(levels))
    assert.throws(() => codec.decode(bytes, 0, bytes.length), { code: 'PROTOCOL_ERROR' })
  })

  test(`${codec.name}: a circle and a function are refused`, () => {
    const circle: unknown[] = []
    circle.push(circle)
    assert.throws(() => encode(codec, circle), { code: 'UNENCODABLE' })
    assert.throws(() => encode(codec, { f: () => 1 }), { code: 'UNENCODABLE' })
  })

  test(`${codec.name}: a key __proto__ is refused`, () => {
    const text = '{"a":{"__proto__":{"polluted":1}}}'
    const bytes =
      codec === jsonCodec
        ? new TextEncoder().encode(text)
        : new Uint8Array([0x81, 0xa9, ...new TextEncoder().encode('__proto__'), 0x80])
    assert.throws(() => codec.decode(bytes, 0, bytes.length), /__proto__/)
    const escaped = new TextEncoder().encode('{"\\u005f_proto__":1}')
    if (codec === jsonCodec)
      assert.throws(() => codec.decode(escaped, 0, escaped.length), /__proto__/)
  })
}

test('msgpack: every number survives, bit by bit', () => {
  const edges = [
    0,
    1,
    127,
    128,
    255,
    256,
    65_535,
    65_536,
    4_294_967_295,
    4_294_967_296,
    2 ** 53 - 1,
    2 ** 53,
    -1,
    -32,
    -33,
    -128,
    -129,
    -32_768,
    -32_769,
    -2_147_483_648,
    -2_147_483_649,
    -(2 ** 53),
  ]
  for (const edge of edges) assert.equal(roundTrip(msgpackCodec, edge), edge)
  const odd = [-0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 5e-324, 1.5]
  for (const value of odd) assert.ok(Object.is(roundTrip(msgpackCodec, value), value), `${value}`)
  fc.assert(
    fc.property(fc.double(), (value) => {
      assert.ok(Object.is(roundTrip(msgpackCodec, value), value))
    }),
  )
})

test('msgpack: bytes, dates, bigints, maps and sets survive', () => {
  fc.assert(
    fc.property(
      fc.record(
        {
          bytes: fc.uint8Array({ maxLength: 70_000 }),
          date: fc.date({ noInvalidDate: true }),
          bigint: fc.bigInt({ min: -(2n ** 300n), max: 2n ** 300n }),
          map: fc.array(fc.tuple(fc.string(), fc.integer())).map((entries) => new Map(entries)),
          set: fc.array(fc.string()).map((items) => new Set(items)),
        },
        { noNullPrototype: true },
      ),
      (value) => assert.deepEqual(roundTrip(msgpackCodec, value), value),
    ),
  )
})

test('msgpack: undefined properties are left out, elsewhere they are null', () => {
  assert.deepEqual(roundTrip(msgpackCodec, { a: undefined, b: 1 }), { b: 1 })
  assert.deepEqual(roundTrip(msgpackCodec, [undefined]), [null])
})

test('msgpack: half a character is refused instead of being replaced', () => {
  for (const text of ['\ud800', `${'a'.repeat(60)}\udc00`, 'x\ud83dy']) {
    assert.throws(() => encode(msgpackCodec, { text }), { code: 'UNENCODABLE' })
  }
  assert.equal(roundTrip(msgpackCodec, '😀'.repeat(40)), '😀'.repeat(40))
})

test('msgpack: text has the shortest head for its bytes, whatever its characters take', () => {
  const lengths = [
    31, 32, 40, 41, 64, 85, 86, 128, 255, 256, 21_845, 21_846, 32_768, 65_535, 65_536,
  ]
  for (const character of ['x', 'é', '漢', '😀']) {
    for (const length of lengths) {
      const text = character.repeat(length)
      const bytes = Buffer.from(text)
      const { length: size } = bytes
      const head = Buffer.alloc(5)
      const heads = [
        () => head.subarray(0, head.writeUInt8(0xa0 | size)),
        () => head.subarray(0, head.writeUInt16BE(0xd900 | size)),
        () =>
          head.subarray(0, head.writeUInt8(size & 0xff, head.writeUInt16BE(0xda00 | (size >> 8)))),
        () => head.subarray(0, head.writeUInt32BE(size, head.writeUInt8(0xdb))),
      ]
      const wanted = heads[[31, 0xff, 0xffff].filter((limit) => size > limit).length]!()
      const around = [Buffer.from([0x93, 7]), wanted, bytes, Buffer.from([8])]
      const made = Buffer.from(encode(msgpackCodec, [7, text, 8]))
      assert.ok(made.equals(Buffer.concat(around)), `${length} times ${character}`)
    }
  }
})

test('msgpack: lists of every size have all their elements, of whatever type, and no holes', () => {
  const kinds = [
    (n: number) => n,
    (n: number) => n + 0.5,
    (n: number) => `${n}`,
    () => [1],
    () => null,
  ]
  for (let size = 0; size <= 200; size++) {
    for (const kind of [...kinds, (n: number) => kinds[n % 5]!(n)]) {
      const list = Array.from({ length: size }, (_, n) => kind(n))
      const heard = roundTrip(msgpackCodec, list) as unknown[]
      assert.deepEqual(heard, list)
      assert.equal(Object.keys(heard).length, size)
    }
  }
})

test('msgpack: large bytes are a view of a message that is little else, and a copy of any other', () => {
  const large = new Uint8Array(100_000).fill(3)
  const alone = encode(msgpackCodec, [large]).slice()
  const [view] = msgpackCodec.decode(alone, 0, alone.length) as [Uint8Array]
  assert.deepEqual(view, large)
  assert.ok(view.buffer === alone.buffer)
  const among = encode(msgpackCodec, [large, large, 1]).slice()
  for (const bytes of (msgpackCodec.decode(among, 0, among.length) as Uint8Array[]).slice(0, 2)) {
    assert.deepEqual(bytes, large)
    assert.ok(bytes.buffer !== among.buffer)
  }
})

test('msgpack: a few bytes are a copy of the message', () => {
  const bytes = encode(msgpackCodec, new Uint8Array([1, 2, 3]))
  const decoded = msgpackCodec.decode(bytes, 0, bytes.length) as Uint8Array
  bytes.fill(9)
  assert.deepEqual([...decoded], [1, 2, 3])
})

test('msgpack: text that is not UTF-8, trailing bytes and wrong keys are refused', () => {
  const cases = [
    [0xa2, 0xc3, 0x28],
    [0x01, 0x01],
    [0x81, 0x01, 0x02],
    [0xc1],
    [0xd9],
    [0xdd, 0xff, 0xff, 0xff, 0xff],
    [0xdf, 0xff, 0xff, 0xff, 0xff],
    [0xc6, 0xff, 0xff, 0xff, 0xff],
    [0xd4, 0x63, 0x00],
  ]
  for (const bytes of cases) {
    const message = new Uint8Array(bytes)
    assert.throws(() => msgpackCodec.decode(message, 0, message.length), { code: 'PROTOCOL_ERROR' })
  }
})

test('msgpack: timestamps of other senders are whole milliseconds that had passed', () => {
  const hex = (text: string) => {
    const bytes = new Uint8Array(Buffer.from(text, 'hex'))
    return (msgpackCodec.decode(bytes, 0, bytes.length) as Date).getTime()
  }
  const long = (nanoseconds: number, seconds: bigint) => {
    const bytes = Buffer.alloc(12)
    bytes.writeUInt32BE(nanoseconds)
    bytes.writeBigInt64BE(seconds, 4)
    return `c70cff${bytes.toString('hex')}`
  }
  assert.equal(hex('d6ffffffffff'), 4_294_967_295_000)
  assert.equal(hex('d7ffee6b27fc00000001'), 1_999)
  assert.equal(hex('d7ff0000000000000000'), 0)
  assert.equal(hex(long(999_999_999, 0n)), 999)
  assert.equal(hex(long(999_999_999, -1n)), -1)
  assert.equal(hex(long(500_000, -1n)), -1_000)
  assert.equal(hex(long(1, -2n)), -2_000)
  assert.equal(hex(long(0, 8_640_000_000_000n)), 8.64e15)
  assert.equal(hex(long(0, -8_640_000_000_000n)), -8.64e15)
  const wrong = [
    'd7ffee6b280000000001',
    'd7fffffffffc00000000',
    long(1_000_000_000, 0n),
    long(1_000_000, 8_640_000_000_000n),
    long(0, 8_640_000_000_001n),
    long(999_999_999, -8_640_000_000_001n),
    long(0, 2n ** 63n - 1n),
    'c703ff000000',
  ]
  for (const text of wrong) assert.throws(() => hex(text), { code: 'PROTOCOL_ERROR' }, text)
  for (const ms of [0, -1, -999, -1_000, -1_001, 8.64e15, -8.64e15, 2 ** 32 * 1_000, -(2 ** 42)]) {
    assert.deepEqual(roundTrip(msgpackCodec, new Date(ms)), new Date(ms))
  }
})

test('json: what JSON has no form for is written in the usual one', () => {
  const value = {
    at: new Date('2026-01-02T03:04:05.678Z'),
    bytes: new Uint8Array(100_000).fill(255),
    buffer: Buffer.from('hi'),
    big: 2n ** 80n,
    map: new Map<unknown, unknown>([['a', new Set([1n])]]),
    none: undefined,
  }
  assert.deepEqual(JSON.parse(Buffer.from(encode(jsonCodec, value)).toString()), {
    at: '2026-01-02T03:04:05.678Z',
    bytes: Buffer.alloc(100_000, 255).toString('base64'),
    buffer: 'aGk=',
    big: '1208925819614629174706176',
    map: [['a', ['1']]],
  })
})

test('msgpack: a long text asks for the memory it takes, not for three times as much', () => {
  const asked: number[] = []
  const { lend, takeBack } = smallSlabs(16)
  const out = new ByteWriter({
    takeBack,
    lend(minBytes) {
      asked.push(minBytes)
      return lend(minBytes)
    },
  })
  msgpackCodec.encode('x'.repeat(60_000), out)
  out.take()
  msgpackCodec.encode('é'.repeat(30_000), out)
  assert.deepEqual(msgpackCodec.decode(out.take().slice(), 0, 60_003), 'é'.repeat(30_000))
  assert.ok(Math.max(...asked) < 61_000, asked.join())
})
