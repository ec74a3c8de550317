import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { mutate } from '../../testing/mutate.ts'
import { seededRandom } from '../../testing/random.ts'
import { nodeCrypto } from '../../transport/tcp/node-crypto.ts'
import { FrameDecoder } from './frame-decoder.ts'
import { crcSeal, type FrameSeal, macSeal } from './frame-seal.ts'
import { FrameWriter } from './frame-writer.ts'

const key = new Uint8Array(32).fill(7)
const kinds: [name: string, make: () => FrameSeal][] = [
  ['crc32c', crcSeal],
  ['hmac', () => macSeal(nodeCrypto.hmac(key))],
]

/** Bodies of the frames of a conversation. */
const bodies = ['', 'a', 'the second', 'x'.repeat(300), 'pay 100', 'pay 100', 'end']

/** Damaged conversations for each kind of seal. */
const changes = Number(process.env.COVEY_CHANGES ?? 100_000)

/** Each frame as it travels. */
function sealed(seal: FrameSeal | undefined): Uint8Array[] {
  const writer = new FrameWriter(1 << 20)
  writer.seal = seal
  return bodies.map((body, index) => {
    writer.frame(3, 0, index + 1, (out) => out.text(body))
    return writer.take().slice()
  })
}

/** Bodies that a receiver takes before it breaks off, and whether it does. */
function receive(seal: FrameSeal, bytes: Uint8Array, cut = 0): { taken: string[]; code: string } {
  const decoder = new FrameDecoder(1 << 20)
  decoder.seal = seal
  const taken: string[] = []
  const take = ({ bytes, start, end }: { bytes: Uint8Array; start: number; end: number }) =>
    void taken.push(Buffer.from(bytes.subarray(start, end)).toString())
  try {
    decoder.push(bytes.subarray(0, cut), take)
    decoder.push(bytes.subarray(cut), take)
  } catch (error) {
    return { taken, code: (error as { code: string }).code }
  }
  return { taken, code: 'none' }
}

/** What was taken has to be what was sent, up to a point. */
function assertPrefix(taken: readonly string[], what: string): void {
  assert.deepEqual(taken, bodies.slice(0, taken.length), what)
}

for (const [name, make] of kinds) {
  const frames = sealed(make())
  const stream = Buffer.concat(frames)

  test(`${name}: sealed frames come through, however they are cut`, () => {
    for (let cut = 0; cut <= stream.length; cut++) {
      assert.deepEqual(receive(make(), stream, cut), { taken: bodies, code: 'none' })
    }
  })

  test(`${name}: of all single flipped bits none is taken`, () => {
    let end = 0
    const ends = frames.map(({ length }) => (end += length))
    for (let bit = 0; bit < 8 * stream.length; bit++) {
      const flipped = Buffer.from(stream)
      flipped[bit >> 3]! ^= 1 << (bit & 7)
      const { taken } = receive(make(), flipped)
      const hit = ends.findIndex((end) => bit >> 3 < end)
      assert.deepEqual(taken, bodies.slice(0, hit), `bit ${bit}`)
    }
  })

  test(`${name}: frames repeated, left out, swapped, cut or moved are not taken`, () => {
    const orders = [
      [0, 0, 1],
      [1, 2, 3],
      [0, 2, 1],
      [0, 1, 2, 3, 4, 4],
      [0, 1, 2, 3, 5, 4, 6],
      [6, 5, 4, 3, 2, 1, 0],
    ]
    for (const order of orders) {
      const { taken, code } = receive(make(), Buffer.concat(order.map((index) => frames[index]!)))
      assert.equal(code, 'INTEGRITY_FAILED', order.join())
      assertPrefix(taken, order.join())
    }
    for (const length of [6, 7, 9, 10, 12]) {
      const short = Buffer.alloc(4 + length)
      short.writeUInt32BE(length, 0)
      assert.equal(receive(make(), short).code, 'INTEGRITY_FAILED', `${length} bytes`)
    }
    assert.equal(receive(make(), Buffer.concat(sealed(undefined))).code, 'INTEGRITY_FAILED')
  })

  test(`${name}: of ${changes} random changes none is taken`, { timeout: 3_600_000 }, () => {
    const seed = Number(process.env.COVEY_SEED ?? Date.now() % 2 ** 31)
    const random = seededRandom(seed)
    for (let round = 0; round < changes; round++) {
      // Most rounds damage few frames, so that the receiver gets far.
      const first = Math.floor(random() * frames.length)
      const damaged = mutate(frames[first]!, random)
      const bytes = Buffer.concat([...frames.slice(0, first), damaged, ...frames.slice(first + 1)])
      const { taken } = receive(make(), bytes, Math.floor(random() * bytes.length))
      assertPrefix(taken, `seed ${seed}, round ${round}`)
    }
  })
}

test('a seal covers the number of its frame, its head and its body', () => {
  const [frame] = sealed(macSeal(nodeCrypto.hmac(key)))
  const covered = Buffer.concat([Buffer.alloc(8), frame!.subarray(0, 10)])
  const code = createHmac('sha256', key).update(covered).digest().subarray(0, 16)
  assert.equal(Buffer.from(frame!.subarray(10)).toString('hex'), code.toString('hex'))
})

test('another key, and the seals of the other direction, fit nothing', () => {
  const stream = Buffer.concat(sealed(macSeal(nodeCrypto.hmac(key))))
  const other = macSeal(nodeCrypto.hmac(new Uint8Array(32).fill(8)))
  assert.deepEqual(receive(other, stream), { taken: [], code: 'INTEGRITY_FAILED' })
})

test('a frame that could not be written takes no number', () => {
  const writer = new FrameWriter(64)
  writer.seal = crcSeal()
  writer.frame(3, 0, 1, (out) => out.text('one'))
  assert.throws(() => writer.frame(3, 0, 2, (out) => out.text('x'.repeat(100))), {
    code: 'MESSAGE_TOO_LARGE',
  })
  assert.throws(
    () =>
      writer.frame(3, 0, 2, () => {
        throw new TypeError('no')
      }),
    TypeError,
  )
  // With its seal it is one byte too long.
  assert.throws(() => writer.frame(3, 0, 2, (out) => out.text('x'.repeat(55))), {
    code: 'MESSAGE_TOO_LARGE',
  })
  writer.frame(3, 0, 2, (out) => out.text('x'.repeat(54)))
  const { taken } = receive(crcSeal(), writer.take())
  assert.deepEqual(taken, ['one', 'x'.repeat(54)])
})

test('a frame that is too short for its head is refused, though its seal fits', () => {
  const frame = Buffer.from([0, 0, 0, 6, 3, 0, 0, 0, 0, 0])
  crcSeal().seal(frame, 0, 6)
  assert.deepEqual(receive(crcSeal(), frame), { taken: [], code: 'INTEGRITY_FAILED' })
})
