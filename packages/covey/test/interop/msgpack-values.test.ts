import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { ByteWriter } from '../../src/base/byte-writer.ts'
import { decodeMsgpack } from '../../src/codec/msgpack/decode.ts'
import { encodeMsgpack } from '../../src/codec/msgpack/encode.ts'
import { seededRandom } from '../../src/testing/random.ts'
import { randomValue } from '../../src/testing/random-value.ts'
import { noPython, outcome, python } from './python.ts'

const count = Number(process.env.COVEY_VALUES ?? 100_000)
const seed = Number(process.env.COVEY_SEED ?? Date.now() % 2 ** 31)

/** So many values are looked at together, so that a million of them take no more memory. */
const atOnce = 25_000

function packed(value: unknown): Uint8Array {
  const out = new ByteWriter()
  encodeMsgpack(value, out)
  return out.take()
}

/** The parts of a file: u32 size, then so many bytes, again and again. */
function* parts(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; ) {
    const size = bytes.readUInt32BE(at)
    yield bytes.subarray(at + 4, at + 4 + size)
    at += 4 + size
  }
}

function sized(bytes: Uint8Array): Buffer {
  const head = Buffer.alloc(4)
  head.writeUInt32BE(bytes.length)
  return Buffer.concat([head, bytes])
}

test(`${count} random values come back from Python as they were`, {
  skip: noPython,
  timeout: 1_800_000,
}, async () => {
  const random = seededRandom(seed)
  const folder = await mkdtemp(join(tmpdir(), 'covey-values-'))
  const [source, target] = [join(folder, 'ours'), join(folder, 'theirs')]
  try {
    for (let done = 0; done < count; done += atOnce) {
      const values = Array.from({ length: Math.min(atOnce, count - done) }, () =>
        randomValue(random),
      )
      const ours = values.map(packed)
      await writeFile(source, Buffer.concat(ours.map(sized)))
      const { code, said } = await outcome(python('msgpack_values.py', [source, target]))
      assert.equal(code, 0, `COVEY_SEED=${seed}: ${said}`)
      const theirs = [...parts(await readFile(target))]
      assert.equal(theirs.length, values.length)
      for (const [index, bytes] of theirs.entries()) {
        const hint = `COVEY_SEED=${seed}, value ${done + index}`
        assert.deepEqual(decodeMsgpack(bytes, 0, bytes.length), values[index], hint)
        // Both write the same, but for extensions, whose size we write in a longer form.
        const shorter = bytes.length < ours[index]!.length
        assert.ok(shorter || bytes.equals(ours[index]!), hint)
      }
    }
  } finally {
    await rm(folder, { recursive: true })
  }
})
