import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ByteWriter } from '../base/byte-writer.ts'
import type { ConnectionCodec } from './codec.ts'
import { chooseCodec, codecs } from './codecs.ts'
import { encodeMsgpack } from './msgpack/encode.ts'
import { msgpackCodec } from './msgpack-codec.ts'
import { shapesCodec } from './shapes-codec.ts'

/** What went one way: values and announcements, in order. */
interface Sent {
  readonly is: 'value' | 'shape'
  readonly bytes: Uint8Array
}

class End {
  readonly sent: Sent[] = []
  readonly codec: ConnectionCodec
  open = true
  announced = 0

  constructor() {
    this.codec = shapesCodec.open!((body) => {
      this.announced += 1
      if (this.open) this.sent.push({ is: 'shape', bytes: written(body) })
      return this.open
    })
  }

  /** Encodes a value and says how many bytes it took. */
  say(value: unknown): number {
    const bytes = written((out) => this.codec.encode(value, out))
    this.sent.push({ is: 'value', bytes })
    return bytes.length
  }

  /** What the other end makes of all that was said. */
  hear(other: End): unknown[] {
    const values: unknown[] = []
    for (const { is, bytes } of other.sent.splice(0)) {
      if (is === 'shape') this.codec.learnShape(bytes, 0, bytes.length)
      else values.push(this.codec.decode(bytes, 0, bytes.length))
    }
    return values
  }
}

function written(body: (out: ByteWriter) => void): Uint8Array {
  const out = new ByteWriter()
  try {
    body(out)
    return out.take().slice()
  } finally {
    out.take()
    out.reuse()
  }
}

function announcement(number: number, keys: unknown): Uint8Array {
  return written((out) => {
    out.u16(number)
    encodeMsgpack(keys, out)
  })
}

class Changing {
  readonly toJSON: () => unknown

  constructor(toJSON: () => unknown) {
    this.toJSON = toJSON
  }
}

/** Lets announcements out. */
const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

const key = fc.constantFrom('id', 'name', 'a b', '"', '7', 'constructor', '\u2028', '\\', 'ü')
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom<unknown>(null, true, 5, -1.5, 'text', 7n, new Date(3), new Uint8Array(3), {}),
    fc.array(tie('value'), { maxLength: 6 }),
    fc
      .uniqueArray(fc.tuple(key, tie('value')), { maxLength: 4, selector: ([name]) => name })
      .map((entries) => Object.fromEntries(entries)),
    fc.constantFrom(new Map([['k', { id: 1 }]]), new Set([1])),
  ),
}))

test('whatever is said both ways, however it interleaves, survives', async () => {
  let shapes = 0
  const way = fc.integer({ min: 0, max: 3 })
  const talk = fc.array(fc.tuple(fc.boolean(), value, way, fc.integer({ min: 1, max: 6 })), {
    maxLength: 40,
  })
  await fc.assert(
    fc.asyncProperty(talk, async (turns) => {
      const ends = [new End(), new End()] as const
      const said: [unknown[], unknown[]] = [[], []]
      const heard: [unknown[], unknown[]] = [[], []]
      const hear = () => {
        heard[0].push(...ends[1].hear(ends[0]))
        heard[1].push(...ends[0].hear(ends[1]))
      }
      for (const [first, some, then, times] of turns) {
        const from = first ? 0 : 1
        for (let time = 0; time < times; time++) ends[from].say(some)
        for (let time = 0; time < times; time++) said[from].push(some)
        if (then === 1) await null
        if (then === 2) hear()
      }
      await null
      shapes += ends[0].announced + ends[1].announced
      hear()
      assert.deepEqual(heard, said)
    }),
    { numRuns: 1_000 },
  )
  assert.ok(shapes > 500, `${shapes} shapes were announced`)
})

test('a shape is announced when it comes again and again, behind the frame that shows it, and saves its keys', async () => {
  const [a, b] = [new End(), new End()]
  const user = { identifier: 7, displayName: 'Ada' }
  const plain = a.say(user)
  a.say(user)
  a.say(user)
  await turn()
  assert.equal(a.announced, 0)
  a.say(user)
  assert.equal(a.announced, 0)
  await turn()
  assert.equal(a.sent.at(-1)?.is, 'shape')
  const short = a.say(user)
  assert.ok(short < plain / 2, `${short} bytes instead of ${plain}`)
  assert.deepEqual(b.hear(a), [user, user, user, user, user])
})

test('other keys, another order and missing values are another shape', async () => {
  const [a, b] = [new End(), new End()]
  const values = [{ a: 1, b: 2 }, { b: 2, a: 1 }, { a: 1 }, { a: 1, b: 2, c: 3 }, { a: 1, b: null }]
  for (let round = 0; round < 6; round++) {
    for (const some of values) a.say(some)
    a.say({ a: 1, b: undefined })
    await turn()
  }
  const heard = b.hear(a)
  const last = heard.slice(-6) as object[]
  assert.deepEqual(last, [...values, { a: 1 }])
  assert.deepEqual(last.map(Object.keys), [...values, { a: 1 }].map(Object.keys))
})

test('objects nested in objects are guessed in turn', async () => {
  const [a, b] = [new End(), new End()]
  const some = [1, 2, 3].map((id) => ({ id, at: { x: 1, y: 2 }, by: { id }, tags: [{ t: 1 }] }))
  for (let round = 0; round < 3; round++) a.say(some)
  await turn()
  a.say(some)
  assert.ok(a.say(some) < written((out) => msgpackCodec.encode(some, out)).length * 0.7)
  assert.deepEqual(b.hear(a).at(-1), some)
})

test('no more than 1,024 shapes are announced, and all objects are still sent', async () => {
  const [a, b] = [new End(), new End()]
  const said: unknown[] = []
  for (let n = 0; n < 1_100; n++) {
    for (let times = 0; times < 5; times++) {
      const some = { [`k${n}`]: n }
      said.push(some)
      a.say(some)
      if (times === 3) await turn()
    }
  }
  assert.equal(a.announced, 1_024)
  assert.deepEqual(b.hear(a), said)
})

test('objects used as dictionaries do not make it forget what it announced, nor grow for ever', async () => {
  const [a, b] = [new End(), new End()]
  const user = { identifier: 7, displayName: 'Ada' }
  const both = [user, { identifier: 7, place: 'Rome' }, user]
  for (let times = 0; times < 5; times++) a.say(both)
  await turn()
  const short = [a.say(both), a.say([both[1]])]
  for (let n = 0; n < 60_000; n++) a.say({ [`${n}`]: 1 })
  await turn()
  assert.deepEqual([a.say(both), a.say([both[1]])], short)
  for (let times = 0; times < 5; times++) a.say({ later: 1 })
  await turn()
  assert.equal(a.announced, 2)
  assert.deepEqual(b.hear(a).at(-1), { later: 1 })
})

test('large, odd and forbidden keys are not announced', async () => {
  const a = new End()
  const many = Object.fromEntries(Array.from({ length: 65 }, (_, n) => [`k${n}`, n]))
  const odd = [many, { ['x'.repeat(400)]: 1 }, {}]
  for (let times = 0; times < 8; times++) {
    for (const some of odd) a.say(some)
    const forbidden = JSON.parse('{"__proto__":1}')
    assert.throws(() => a.say(forbidden), { code: 'UNENCODABLE', message: /__proto__/ })
    await turn()
  }
  assert.equal(a.announced, 0)
})

test('an object that cannot be sent leaves no trace', async () => {
  const [a, b] = [new End(), new End()]
  for (let times = 0; times < 5; times++) a.say({ id: 1, run: 2 })
  await turn()
  assert.throws(() => a.say({ id: 1, run: () => 1 }), { code: 'UNENCODABLE' })
  const changes: ((object: { run?: unknown }) => unknown)[] = [
    (object) => delete object.run,
    (object) => {
      object.run = undefined
    },
  ]
  for (const change of changes) {
    const object: { id: unknown; run?: unknown } = {
      id: new Changing(() => change(object)),
      run: 1,
    }
    assert.throws(() => a.say(object), { code: 'UNENCODABLE', message: /changed/ })
  }
  a.say({ id: 1, run: 2 })
  assert.deepEqual(b.hear(a).at(-1), { id: 1, run: 2 })
})

test('when the connection is closed nothing more is announced', async () => {
  const a = new End()
  a.open = false
  for (let times = 0; times < 5; times++) a.say({ id: 1 })
  await turn()
  for (let times = 0; times < 5; times++) a.say({ other: 1 })
  await turn()
  assert.equal(a.announced, 1)
})

test('announcements that break a rule are refused', () => {
  const { codec } = new End()
  const learn = (bytes: Uint8Array) => codec.learnShape(bytes, 0, bytes.length)
  learn(announcement(0, ['a']))
  learn(announcement(1_023, ['a', 'b']))
  const wrong = [
    announcement(0, ['b']),
    announcement(1_024, ['a']),
    announcement(1, []),
    announcement(1, ['a', 'a']),
    announcement(1, ['__proto__']),
    announcement(1, [7]),
    announcement(1, 'a'),
    announcement(1, { a: 1 }),
    announcement(
      1,
      Array.from({ length: 65 }, (_, n) => `k${n}`),
    ),
    announcement(1, ['x'.repeat(4_096)]),
    announcement(1, ['a']).subarray(0, 2),
    announcement(1, ['a']).subarray(0, 3),
    new Uint8Array(0),
  ]
  for (const bytes of wrong) {
    assert.throws(
      () => learn(bytes),
      { code: 'PROTOCOL_ERROR' },
      Buffer.from(bytes).toString('hex'),
    )
  }
  learn(
    announcement(
      1,
      Array.from({ length: 64 }, (_, n) => `k${n}`),
    ),
  )
})

test('objects of unknown shapes, cut short or nested too deep are refused', () => {
  const { codec } = new End()
  const one = announcement(5, ['a'])
  const two = announcement(1_000, ['a', 'b'])
  codec.learnShape(one, 0, one.length)
  codec.learnShape(two, 0, two.length)
  const decode = (bytes: number[]) => codec.decode(new Uint8Array(bytes), 0, bytes.length)
  assert.deepEqual(decode([0xc1, 5, 1]), { a: 1 })
  assert.deepEqual(decode([0xc1, 0x83, 0xe8, 1, 2]), { a: 1, b: 2 })
  const deep = [...Array.from({ length: 64 }, () => [0xc1, 5]).flat(), 1]
  assert.doesNotThrow(() => decode(deep))
  for (const bytes of [[0xc1], [0xc1, 6, 1], [0xc1, 5], [0xc1, 0x83], [0xc1, 0x83, 0xe8, 1]]) {
    assert.throws(() => decode(bytes), { code: 'PROTOCOL_ERROR' }, bytes.join())
  }
  assert.throws(() => decode([0xc1, 5, ...deep]), { code: 'PROTOCOL_ERROR', message: /nested/ })
  // 15,626 objects of 64 values each are over 1,000,000 elements.
  const wide = announcement(
    6,
    Array.from({ length: 64 }, (_, n) => `k${n}`),
  )
  codec.learnShape(wide, 0, wide.length)
  const objects = new Uint8Array(5 + 15_626 * 66).fill(0xc0)
  objects.set([0xdd, 0, 0, 0x3d, 0x0a])
  for (let at = 5; at < objects.length; at += 66) objects.set([0xc1, 6], at)
  assert.throws(() => codec.decode(objects, 0, objects.length), { message: /1000000 elements/ })
  const fresh = new End().codec
  assert.throws(() => fresh.decode(new Uint8Array([0xc1, 5, 1]), 0, 3), { code: 'PROTOCOL_ERROR' })
})

test('an object is the same before and after code was compiled for its shape', () => {
  const { codec } = new End()
  const odd = ['"); throw 1; ("', 'x": r.value(d), "y', '\u2028', '2', 'constructor', '\\', '\n']
  for (const [number, key] of odd.entries()) {
    const bytes = announcement(number, ['z', key, '1'])
    codec.learnShape(bytes, 0, bytes.length)
    const message = new Uint8Array([0xc1, number, 1, 2, 3])
    for (let times = 0; times < 20; times++) {
      const object = codec.decode(message, 0, message.length) as object
      assert.deepEqual(object, { z: 1, [key]: 2, 1: 3 })
      assert.equal(Object.getPrototypeOf(object), Object.prototype)
    }
  }
})

test('a connection with a thousand odd shapes takes compiled code from nobody for good', () => {
  const ends = Array.from({ length: 4 }, () => new End().codec)
  const read = (codec: ConnectionCodec, number: number, key: string) => {
    const bytes = [0xc1, 0x80 | (number >> 8), number & 0xff, 7]
    assert.deepEqual(codec.decode(new Uint8Array(bytes), 0, 4), { [key]: 7 })
  }
  for (const [place, codec] of ends.entries()) {
    for (let number = 0; number < 1_024; number++) {
      const key = place === 0 ? `mine ${number}` : `odd ${place} ${number}`
      const bytes = announcement(number, [key])
      codec.learnShape(bytes, 0, bytes.length)
      for (let times = 0; times < 10; times++) read(codec, number, key)
    }
  }
  // Those of the first were given away meanwhile; they are read as before, and compiled again.
  for (let times = 0; times < 20; times++) {
    for (let number = 0; number < 1_024; number += 100) read(ends[0]!, number, `mine ${number}`)
  }
})

test('shapes are preferred, and not spoken in version 1', () => {
  assert.equal(codecs[0], shapesCodec)
  const names = ['shapes', 'msgpack']
  assert.deepEqual([chooseCodec(names, 2), chooseCodec(names, 1)], [shapesCodec, msgpackCodec])
})
