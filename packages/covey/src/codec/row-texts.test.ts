import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ByteWriter } from '../base/byte-writer.ts'
import type { ConnectionCodec } from './codec.ts'
import { shapesCodec } from './shapes-codec.ts'

// Texts of lists that come again. Objects here keep their keys: no announcement is let out.
const open = () => shapesCodec.open!(() => true)

function encode(value: unknown, codec: ConnectionCodec = open()): Uint8Array {
  const out = new ByteWriter()
  codec.encode(value, out)
  return out.take()
}

function decode(bytes: Uint8Array, codec: ConnectionCodec = open()): unknown {
  return codec.decode(bytes, 0, bytes.length)
}

class Saying {
  readonly toJSON: () => unknown

  constructor(toJSON: () => unknown) {
    this.toJSON = toJSON
  }
}

const hex = (value: unknown) => Buffer.from(encode(value)).toString('hex')
const unhex = (text: string) => new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'))

/** Where a place is named, and how often: `c1` in these messages is in nothing else. */
function named(bytes: Uint8Array): number {
  return bytes.filter((byte, at) => bytes[at - 1] === 0xc1 && byte >= 0xe0).length
}

test('a text that is the same as in the row before is put into a place, and named from then on', () => {
  const blue = 'a4626c7565'
  assert.equal(
    hex(['blue', 'blue', 'blue', 'blue', 'blue']),
    `95${blue}c1c0${blue}${'c1e0'.repeat(3)}`,
  )
  const rows = Array.from({ length: 4 }, (_, n) => ({ n, to: ['red', 'blue'] }))
  const row = (n: number, red: string, bluePlace: string) => `82a16e0${n}a2746f92${red}${bluePlace}`
  assert.equal(
    hex(rows),
    `94${row(0, 'a3726564', blue)}${row(1, 'c1c0a3726564', `c1c1${blue}`)}${row(2, 'c1e0', 'c1e1')}${row(3, 'c1e0', 'c1e1')}`,
  )
})

test('a list of which nothing comes again is as in MessagePack, and so is a short one', () => {
  const plain = (value: unknown) => {
    const out = new ByteWriter()
    shapesCodec.encode(value, out)
    return out.take()
  }
  const distinct = Array.from({ length: 40 }, (_, n) => ({ name: `name ${n}`, tags: [`t${n}`] }))
  const short = ['blue', 'blue', 'blue']
  const late = [...distinct, ...Array.from({ length: 5 }, () => ({ name: 'Ada', tags: ['x'] }))]
  for (const value of [distinct, short, late, { name: 'Ada', other: 'Ada', last: 'Ada' }]) {
    assert.deepEqual(encode(value), plain(value))
  }
})

test('places follow their rows: through inner lists, objects of other sizes, and past the last place', () => {
  const orders = Array.from({ length: 10 }, (_, n) => ({
    name: 'Ada Lovelace',
    items: Array.from({ length: 1 + (n % 3) }, () => ({ unit: 'piece' })),
    end: 'the end',
  }))
  assert.deepEqual(decode(encode(orders)), orders)
  // Of 10 names, 19 units and 10 ends the first two are written.
  assert.equal(named(encode(orders)), 8 + 17 + 8)
  const wide = Array.from({ length: 6 }, () =>
    Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`key ${n}`, `value ${n}`])),
  )
  assert.deepEqual(decode(encode(wide)), wide)
  assert.equal(named(encode(wide)), 4 * 32)
})

test('a place is taken over by the next text that comes again, and given up after a few that do not', () => {
  const list = [...'aabbbbabcdefgggg'].map((letter) => letter.repeat(5))
  const bytes = encode(list)
  assert.deepEqual(decode(bytes), list)
  // aaaaa is put once, bbbbb put once and named twice; the place is given up before the run of ggggg.
  assert.equal(named(bytes), 2)
})

test('long and tiny texts stay where they are', () => {
  const fits = ['abc', 'x'.repeat(64), 'ü'.repeat(32), '漢'.repeat(21)]
  for (const text of fits) assert.equal(named(encode(Array(6).fill(text))), 4, text)
  for (const text of [
    '',
    'ab',
    'x'.repeat(65),
    'ü'.repeat(33),
    '漢'.repeat(22),
    'y'.repeat(5_000),
  ]) {
    const bytes = encode(Array(6).fill(text))
    assert.equal(named(bytes), 0, text)
    assert.deepEqual(decode(bytes), Array(6).fill(text))
  }
})

const text = fc.constantFrom(
  '',
  'ab',
  'blue',
  'Ada Lovelace',
  'ünï😀',
  'x'.repeat(64),
  'x'.repeat(65),
)
const { cell } = fc.letrec((tie) => ({
  cell: fc.oneof(
    { maxDepth: 3 },
    { weight: 3, arbitrary: text },
    fc.constantFrom<unknown>(null, 7, new Date(3), new Map([['k', 'blue']]), new Set(['blue'])),
    fc.array(tie('cell'), { maxLength: 8 }),
    fc.record({ a: tie('cell'), b: tie('cell') }, { noNullPrototype: true }),
  ),
}))

test('lists of all kinds survive, one message after the other on one connection', () => {
  let names = 0
  const rows = fc.oneof(
    fc.array(cell, { maxLength: 12 }),
    fc
      .tuple(fc.record({ a: cell, b: cell }, { noNullPrototype: true }), fc.nat(12))
      .map(([row, n]) => Array(n).fill(row)),
  )
  const messages = fc.array(fc.tuple(rows, rows), { maxLength: 4 })
  fc.assert(
    fc.property(messages, (values) => {
      const [from, to] = [open(), open()]
      for (const value of values) {
        const bytes = encode(value, from)
        names += named(bytes)
        assert.deepEqual(decode(bytes, to), value)
      }
    }),
    { numRuns: 1_500 },
  )
  assert.ok(names > 1_000, `${names} texts were named`)
})

test('places are empty again in the next message, also behind one that could not be sent', () => {
  const codec = open()
  const list = Array(6).fill('blue')
  const first = encode(list, codec)
  assert.deepEqual(encode(list, codec), first)
  assert.throws(() => encode([...list, () => 1], codec), { code: 'UNENCODABLE' })
  assert.deepEqual(encode(list, codec), first)
  const reader = open()
  decode(first, reader)
  assert.throws(() => decode(unhex('c1e0'), reader), { code: 'PROTOCOL_ERROR', message: /place 0/ })
})

test('a message that is written within another one has places of its own', () => {
  const codec = open()
  const inner = Array(6).fill('inner')
  const sent: Uint8Array[] = []
  for (const other of [codec, open()]) {
    const send = new Saying(() => {
      sent.push(encode(inner, other))
      return 'sent'
    })
    const bytes = encode(
      Array.from({ length: 6 }, () => ({ a: 'blue', b: send })),
      codec,
    )
    assert.deepEqual(decode(bytes), Array(6).fill({ a: 'blue', b: 'sent' }))
    assert.equal(named(bytes), 8)
  }
  assert.equal(sent.length, 12)
  for (const bytes of sent) assert.deepEqual(decode(bytes), inner)
})

test('a list that shrinks while it is written keeps its size', () => {
  const list: unknown[] = ['a', 'b', 'c']
  const shrink = new Saying(() => {
    list.length = 2
    return 'd'
  })
  list.push(shrink, 'e')
  assert.deepEqual(decode(encode(list)), ['a', 'b', 'c', 'd', null])
})

test('what a peer may say of places, and what not', () => {
  const blue = 'a4 626c7565'
  const good: [string, unknown][] = [
    [`c1c0 ${blue}`, 'blue'],
    [`92 c1df ${blue} c1ff`, ['blue', 'blue']],
    [`93 c1c1 ${blue} c1c1 a3726564 c1e1`, ['blue', 'red', 'red']],
    [`92 c1c0 d9 40 ${'78'.repeat(64)} c1e0`, Array(2).fill('x'.repeat(64))],
    [`81 a16b 92 c1c0 ${blue} c1e0`, { k: ['blue', 'blue'] }],
    ['92 c1c0 a0 c1e0', ['', '']],
  ]
  for (const [bytes, value] of good) assert.deepEqual(decode(unhex(bytes)), value, bytes)
  const wrong = [
    'c1e0',
    `92 c1c0 ${blue} c1e1`,
    `92 c1e0 c1c0 ${blue}`,
    'c1c0',
    'c1c0 07',
    'c1c0 c0',
    'c1c0 a4 6262',
    'c1c0 a1 80',
    `92 c1c0 ${blue} c1c1 c1e0`,
    `c1c0 c1c1 ${blue}`,
    `c1c0 d9 41 ${'78'.repeat(65)}`,
    `c1c0 db 00000041 ${'78'.repeat(65)}`,
    `81 c1c0 ${blue} 07`,
    'c184 00',
    'c1bf 00',
  ]
  for (const bytes of wrong) {
    assert.throws(() => decode(unhex(bytes)), { code: 'PROTOCOL_ERROR' }, bytes)
  }
  const nested = unhex('c1c0'.repeat(100_000))
  assert.throws(() => decode(nested), { code: 'PROTOCOL_ERROR' })
  // Named a million times, a text is still so many elements.
  const many = new Uint8Array(5 + 2_000_002)
  many.set(unhex('dd 000f4241'))
  assert.throws(() => decode(many), { message: /1000000 elements/ })
})

test('outside of a connection, and in the codec msgpack, there are no places', () => {
  const bytes = unhex('92 c1c0 a3626c75 c1e0')
  assert.throws(() => shapesCodec.decode(bytes, 0, bytes.length), { message: /0xc1/ })
})
