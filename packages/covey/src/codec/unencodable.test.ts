import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ByteWriter } from '../base/byte-writer.ts'
import type { CoveyError } from '../error/covey-error.ts'
import { seededRandom } from '../testing/random.ts'
import { randomValue } from '../testing/random-value.ts'
import { type Codec, type ConnectionCodec, codecLimits } from './codec.ts'
import { copyValue } from './copy-value.ts'
import { jsonCodec } from './json-codec.ts'
import { msgpackCodec } from './msgpack-codec.ts'
import { shapesCodec } from './shapes-codec.ts'

/** Hears its own announcements. */
const shapes: ConnectionCodec = shapesCodec.open!((body) => {
  const out = new ByteWriter()
  body(out)
  const bytes = out.take()
  shapes.learnShape(bytes, 0, bytes.length)
  announced += 1
  return true
})
let announced = 0
const all: readonly (Codec | 'copy')[] = [msgpackCodec, shapes, jsonCodec, 'copy']
/** What carries more than JSON; within one process it is copied instead. */
const binary: readonly (Codec | 'copy')[] = [msgpackCodec, shapes, 'copy']

function roundTrip(codec: Codec | 'copy', value: unknown): unknown {
  if (codec === 'copy') return copyValue(value)
  const out = new ByteWriter()
  codec.encode(value, out)
  const bytes = out.take().slice()
  return codec.decode(bytes, 0, bytes.length)
}

function refused(codec: Codec | 'copy', value: unknown, message: string | RegExp): void {
  const wanted = { code: 'UNENCODABLE', message }
  assert.throws(() => roundTrip(codec, value), wanted, `${nameOf(codec)}: ${message}`)
}

const nameOf = (codec: Codec | 'copy') => (codec === 'copy' ? codec : codec.name)

function nested(levels: number, leaf: unknown): unknown {
  let value = leaf
  for (let level = 0; level < levels; level++) value = [value]
  return value
}

test('what keeps its content to itself is refused by name, with the way to it', () => {
  const bytes = '; send bytes as a Uint8Array, numbers as an array'
  const cases: [unknown, string, string?][] = [
    [new ArrayBuffer(4), 'ArrayBuffer', bytes],
    [new SharedArrayBuffer(4), 'SharedArrayBuffer'],
    [new Float32Array([1.5]), 'Float32Array', bytes],
    [new Uint16Array(0), 'Uint16Array', bytes],
    [new DataView(new ArrayBuffer(2)), 'DataView', bytes],
    [new Error('boom'), 'Error'],
    [Object.assign(new TypeError('boom'), { code: 'E_BOOM' }), 'Error'],
    [Promise.resolve(1), 'Promise'],
    [/x/, 'RegExp'],
    [new WeakMap(), 'WeakMap'],
    [new URLSearchParams('a=1'), 'URLSearchParams'],
    [new Headers({ a: '1' }), 'Headers'],
    [new Blob(['a']), 'Blob'],
    [(function* () {})(), 'Generator'],
    [Object(5), 'Number'],
    [Object('ab'), 'String'],
    [Object(true), 'Boolean'],
  ]
  for (const codec of all) {
    for (const [value, kind, advice = ''] of cases) {
      const message = `a value of type ${kind} cannot be sent${advice}`
      refused(codec, value, message)
      refused(codec, { users: [{ id: 1 }, { id: 2, photo: value }] }, `users.1.photo: ${message}`)
    }
  }
})

test('objects of a class are sent as their properties, or as what they say themselves', () => {
  class Point {
    readonly x = 1
    readonly #y = 2
    get y() {
      return this.#y
    }
  }
  class Named extends Point {
    get [Symbol.toStringTag]() {
      return 'Named'
    }
  }
  const own = { toJSON: () => ({ a: 1 }) }
  const secret = Object.create(own)
  class Empty {}
  const bare = Object.assign(Object.create(null), { a: 1 })
  const tagged = { [Symbol.toStringTag]: 'Tagged', a: 1 }
  const values = [new Point(), new Named(), secret, new Empty(), bare, new URL('http://a/'), tagged]
  const expected = [{ x: 1 }, { x: 1 }, { a: 1 }, {}, { a: 1 }, 'http://a/', { a: 1 }]
  for (const codec of all) assert.deepEqual(roundTrip(codec, values), expected, nameOf(codec))
})

test('functions, symbols and dates that are none are refused, with the way to them', () => {
  for (const codec of all) {
    refused(codec, { a: [{ run() {} }] }, 'a.0.run: a function cannot be sent')
    refused(codec, { mark: Symbol('x') }, 'mark: a symbol cannot be sent')
    refused(codec, { at: new Date(Number.NaN) }, 'at: an invalid date cannot be sent')
  }
  for (const codec of binary) {
    const half = 'text with half a character (a lone surrogate)'
    refused(codec, new Map([['k', new Set(['a\ud800'])]]), `k.0: ${half}`)
    refused(codec, { list: [{ 'a\ud800': 1 }] }, `list.0.a\ufffd: ${half}`)
    refused(codec, new Map([[{ a: ['\udc00'] }, 1]]), `[object Object].a.0: ${half}`)
    refused(codec, { big: [10n ** 4096n] }, 'big.0: a bigint over 4096 characters')
  }
})

test('what was made on the way is refused without a way to it, and a long way is cut', () => {
  const made = Object.create({ toJSON: () => ({ run() {} }) })
  for (const codec of all) {
    refused(codec, [made], 'a function cannot be sent')
    const long = { ['k'.repeat(10_000)]: () => 1 }
    refused(codec, long, `${'k'.repeat(200)}: a function cannot be sent`)
  }
})

test('what the peer would refuse is refused here: a key __proto__, and nesting', () => {
  const polluting = JSON.parse('{"list":[{"__proto__":{"polluted":1}}]}')
  for (const codec of all) {
    refused(codec, polluting, 'list.0: an object with a key "__proto__" cannot be sent')
    assert.deepEqual(roundTrip(codec, nested(64, 1)), nested(64, 1), nameOf(codec))
    refused(codec, nested(65, 1), /nested deeper than 64/)
  }
  const wide = Array.from({ length: 100 }, () => [{ a: [1] }, []])
  assert.deepEqual(roundTrip(jsonCodec, [wide, wide]), [wide, wide])
  refused(jsonCodec, [wide, nested(64, wide)], /^1(\.0){63}: nested deeper than 64$/)
  for (const codec of binary) {
    for (const leaf of [new Map([[1, 2]]), new Set([1])]) {
      assert.deepEqual(roundTrip(codec, nested(62, leaf)), nested(62, leaf))
      refused(codec, nested(63, leaf), /nested deeper than 64/)
    }
  }
})

test('what the peer would refuse is refused here: over a million elements, of whatever kind', async () => {
  const { maxElements } = codecLimits
  for (const codec of binary) {
    const list = new Array(maxElements - 1).fill(1)
    assert.equal((roundTrip(codec, [list]) as unknown[][])[0]!.length, maxElements - 1)
    refused(codec, [list, 1], '0: over 1000000 elements')
    const rows = Array.from({ length: 250_000 }, (_, id) => ({ id, a: 1, b: 2 }))
    assert.equal((roundTrip(codec, rows) as unknown[]).length, rows.length)
    // The second time the rows are of a known shape.
    await null
    refused(codec, [rows], '0.249999: over 1000000 elements')
    refused(codec, new Set(Array.from({ length: maxElements + 1 }, (_, id) => id)), /over 1000000/)
    refused(codec, new Map(rows.map((row, id) => [id, row])), /over 1000000 elements/)
  }
  assert.ok(announced > 0)
})

test('elements are counted for each message, also for one that is sent while another is written', () => {
  const list = new Array(600_000).fill(1)
  for (const codec of binary) {
    const sending = Object.create({ toJSON: () => (roundTrip(codec, list) as unknown[]).length })
    assert.deepEqual(roundTrip(codec, [sending, 2]), [600_000, 2])
    assert.equal((roundTrip(codec, [list, sending]) as unknown[][])[0]!.length, 600_000)
    refused(codec, [list, sending, list.slice()], '2: over 1000000 elements')
  }
})

test('an object whose getter changes its mind is refused and breaks nothing', () => {
  let reads = 0
  const flipping = {
    get a() {
      return reads++ % 2 === 0 ? 1 : undefined
    },
    b: 2,
  }
  for (const codec of [msgpackCodec, shapes]) {
    refused(codec, [flipping, 3], '0: an object changed its keys while it was written')
  }
})

test('undefined and null as keys of one map, or in one set, would become one', () => {
  for (const codec of binary) {
    const message = 'undefined and null, which become the same, in one map or set'
    const both = [undefined, null]
    refused(codec, { a: new Map(both.map((key) => [key, 1])) }, `a: ${message}`)
    refused(codec, { a: new Set(both) }, `a: ${message}`)
    assert.deepEqual(roundTrip(codec, new Map([[undefined, 1]])), new Map([[null, 1]]))
  }
})

test('a circle is refused, though looking for it takes the search through it', () => {
  const circle: Record<string, unknown> = { id: 1 }
  circle.friends = [circle, circle, { circle }]
  for (const codec of binary) refused(codec, { circle }, /^circle.*: nested deeper than 64/)
  assert.throws(
    () => roundTrip(jsonCodec, circle),
    (error: CoveyError) => error.code === 'UNENCODABLE' && /circular/.test(error.message),
  )
})

test('a copy is what would have arrived, and shares nothing with what was sent', () => {
  const random = seededRandom(Number(process.env.COVEY_SEED ?? 7))
  const odd = [
    new Array(2),
    [undefined, null, -0, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, 5n],
    { a: undefined, b: [undefined], c: { d: undefined } },
    new Map<unknown, unknown>([[{ id: [1] }, new Map([[[1], new Set([[2]])]])]]),
    [Buffer.from('hi'), new Uint8Array([1, 2, 3]).subarray(1), new Date(-1)],
    Object.assign(Object.create(null), { toString: 1, 2: 'b', 1: 'a' }),
    'text',
    5n,
    null,
  ]
  const values = [...odd, ...Array.from({ length: 3_000 }, () => randomValue(random, 4))]
  for (const value of values) {
    const copy = copyValue(value)
    assert.deepStrictEqual(copy, roundTrip(msgpackCodec, value))
    // The order of keys as well.
    assert.ok(Buffer.from(bytesOf(copy)).equals(bytesOf(value)))
  }
  const bytes = new Uint8Array([1])
  const sent = { bytes, at: new Date(1), list: [new Map([['a', [1]]])] }
  const copy = copyValue(sent) as typeof sent
  bytes[0] = 2
  sent.at.setTime(2)
  sent.list[0]!.get('a')!.push(2)
  assert.deepEqual(copy, {
    bytes: new Uint8Array([1]),
    at: new Date(1),
    list: [new Map([['a', [1]]])],
  })
  assert.equal(copyValue(undefined), undefined)
})

function bytesOf(value: unknown): Uint8Array {
  const out = new ByteWriter()
  msgpackCodec.encode(value, out)
  return out.take().slice()
}
