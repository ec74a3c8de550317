import assert from 'node:assert/strict'
import { test } from 'node:test'
import { constants, zstdCompressSync } from 'node:zlib'
import type { CoveyError } from '../../error/covey-error.ts'
import { seededRandom } from '../../testing/random.ts'
import { zstd } from './zstd.ts'

/** Both ways to inflate, which have to say the same. */
const ways = [
  async (packed: Uint8Array, plainBytes: number) => zstd.inflate(packed, plainBytes),
  (packed: Uint8Array, plainBytes: number) => zstd.inflateLater(packed, plainBytes),
]

const text = new TextEncoder().encode('a body that repeats itself, '.repeat(500))

for (const [index, inflate] of ways.entries()) {
  const way = index === 0 ? 'at once' : 'beside the event loop'

  test(`${way}: bodies of all sizes come back`, async () => {
    const random = seededRandom(3)
    for (const size of [0, 1, 63, 64, 1000, 65_536, 1_000_000]) {
      const body = Uint8Array.from({ length: size }, (_, at) =>
        at % 7 === 0 ? random() * 256 : at,
      )
      const plain = await inflate(zstd.pack(body), size)
      assert.equal(Buffer.compare(plain, body), 0)
    }
  })

  test(`${way}: a size that is not the right one is refused`, async () => {
    const packed = zstd.pack(text)
    for (const wrong of [0, 1, text.length - 1, text.length + 1, 2 * text.length]) {
      await assert.rejects(inflate(packed, wrong), { code: 'PROTOCOL_ERROR' })
    }
  })

  test(`${way}: what is cut, damaged, followed by more or no zstd at all is refused`, async () => {
    const packed = zstd.pack(text)
    const bad = [
      new Uint8Array(0),
      packed.subarray(0, packed.length - 1),
      Buffer.concat([packed, new Uint8Array([0])]),
      text,
    ]
    for (const body of bad) {
      await assert.rejects(inflate(body, text.length), { code: 'PROTOCOL_ERROR' })
    }
  })

  test(`${way}: a bomb takes no more memory than it declares`, async () => {
    const bomb = zstdCompressSync(Buffer.alloc(100 * 1024 * 1024))
    assert.ok(bomb.length < 10_000)
    await assert.rejects(inflate(bomb, 64 * 1024), { code: 'PROTOCOL_ERROR' })
    const before = process.memoryUsage().rss
    for (let round = 0; round < 200; round++) {
      await inflate(bomb, 64 * 1024).catch((error: CoveyError) => error)
    }
    const grown = process.memoryUsage().rss - before
    assert.ok(grown < 32 * 1024 * 1024, `${grown} bytes`)
  })
}

test('a frame that wants more memory to look back than 8 MiB is refused', () => {
  const params = { [constants.ZSTD_c_windowLog]: 25, [constants.ZSTD_c_contentSizeFlag]: 0 }
  const body = Buffer.alloc(40 * 1024 * 1024, 'wide ')
  const packed = zstdCompressSync(body, { params })
  assert.throws(() => zstd.inflate(packed, body.length), /window|memory/i)
})
