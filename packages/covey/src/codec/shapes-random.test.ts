import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ByteWriter } from '../base/byte-writer.ts'
import { seededRandom } from '../testing/random.ts'
import { randomValue } from '../testing/random-value.ts'
import type { Codec, ConnectionCodec } from './codec.ts'
import { msgpackCodec } from './msgpack-codec.ts'
import { shapesCodec } from './shapes-codec.ts'

const count = Number(process.env.COVEY_SHAPED_VALUES ?? 20_000)
const seed = Number(process.env.COVEY_SEED ?? Date.now() % 2 ** 31)

/** So many values go over one connection, in which it learns their shapes. */
const perConnection = 500

function encode(codec: Codec, value: unknown): Uint8Array {
  const out = new ByteWriter()
  codec.encode(value, out)
  return out.take().slice()
}

/** One way of a connection. */
class Way {
  announced = 0
  bytes = 0
  readonly #from: ConnectionCodec
  readonly #to: ConnectionCodec

  constructor() {
    this.#to = shapesCodec.open!(() => true)
    this.#from = shapesCodec.open!((body) => {
      const out = new ByteWriter()
      body(out)
      const bytes = out.take().slice()
      this.#to.learnShape(bytes, 0, bytes.length)
      this.announced += 1
      return true
    })
  }

  carry(value: unknown): unknown {
    const bytes = encode(this.#from, value)
    this.bytes += bytes.length
    return this.#to.decode(bytes, 0, bytes.length)
  }
}

const words = [
  'blue',
  '',
  'x',
  'ab',
  'abc',
  'ünï',
  '\u0000',
  '\ufeff',
  '😀'.repeat(16),
  '😀'.repeat(17),
  'constructor',
  ...[39, 40, 41, 63, 64, 65].map((size) => 'k'.repeat(size)),
]

const numbered = (keys: number) => Array.from({ length: keys }, (_, index) => `k${index}`)

/** What like objects have for keys: usual ones, and those that compiled code could get wrong. */
const keyLists = [
  ['id', 'name'],
  ['name', 'id'],
  ['id', 'name', 'x'],
  ['1', '0', 'a'],
  ['', 'a'],
  ['constructor', 'toString', 'hasOwnProperty'],
  ['valueOf'],
  ['then'],
  ['r', 'd', 'this'],
  ["a'b", 'c"d', 'e\\f', '\u2028', 'ü'],
  numbered(64),
  numbered(65),
]

/** Makes lists of like rows, with the irregularities that rows have. */
class Rows {
  readonly #random: () => number

  constructor(random: () => number) {
    this.#random = random
  }

  value(): unknown {
    switch (this.#below(6)) {
      case 0:
        return { list: this.#list(), more: this.#list(), one: this.#object(this.#keys()) }
      case 1:
        return new Map([[this.#list(), this.#list()]])
      case 2:
        return randomValue(this.#random, 4)
      default:
        return this.#list()
    }
  }

  #list(): unknown[] {
    const keys = this.#keys()
    const first = this.#object(keys)
    return Array.from({ length: this.#below(12) }, () => this.#row(keys, first))
  }

  /** Mostly the first one with another value in one place. */
  #row(keys: readonly string[], first: Record<string, unknown>): unknown {
    const row: Record<string, unknown> = { ...first, [this.#of(keys)]: this.#field() }
    switch (this.#below(30)) {
      case 0:
        return Object.fromEntries(Object.entries(row).reverse())
      case 1:
        return this.#of(words)
      case 2:
        delete row[keys[0]!]
        return row
      case 3:
        return this.#list()
      case 4:
        return this.#object(this.#keys())
      default:
        return row
    }
  }

  #object(keys: readonly string[]): Record<string, unknown> {
    return Object.fromEntries(keys.map((key) => [key, this.#field()]))
  }

  #field(): unknown {
    const roll = this.#below(10)
    if (roll < 4) return this.#of(words)
    if (roll < 6) return this.#below(300) - 20
    if (roll < 7) return Array.from({ length: this.#below(7) }, () => this.#of(words))
    if (roll < 8) return new Map<unknown, unknown>([[{ id: 1, name: 'blue' }, new Set(words)]])
    return randomValue(this.#random, 2)
  }

  #keys(): readonly string[] {
    return this.#of(keyLists)
  }

  #of<T>(items: readonly T[]): T {
    return items[this.#below(items.length)]!
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit)
  }
}

test(`${count} random values go through two connections, as through a gateway, and are what they were`, {
  timeout: 1_800_000,
}, async () => {
  const random = seededRandom(seed)
  const rows = new Rows(random)
  let [announced, shaped, plain] = [0, 0, 0]
  for (let done = 0; done < count; done += perConnection) {
    const ways = [new Way(), new Way()] as const
    for (let index = done; index < Math.min(count, done + perConnection); index++) {
      const hint = `COVEY_SEED=${seed}, value ${index}`
      const value = rows.value()
      const there = ways[1].carry(ways[0].carry(value))
      assert.deepStrictEqual(there, value, hint)
      // Also the order of keys, and everything else that is written.
      const bytes = encode(msgpackCodec, value)
      assert.ok(Buffer.from(bytes).equals(encode(msgpackCodec, there)), hint)
      plain += bytes.length
      // Lets announcements out now and then, as between the turns of a process.
      if (random() < 0.2) await null
    }
    for (const way of ways) announced += way.announced
    shaped += ways[0].bytes
  }
  assert.ok(announced > count / 50, `${announced} shapes were announced`)
  assert.ok(shaped < plain * 0.97, `${shaped} bytes, ${plain} without shapes`)
})
