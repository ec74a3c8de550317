import assert from 'node:assert/strict'
import { test } from 'node:test'
import { noMetadata } from '../../call/metadata.ts'
import { nextSpan } from '../../call/trace.ts'
import { CoveyError } from '../../error/covey-error.ts'
import { mutate } from '../../testing/mutate.ts'
import { seededRandom } from '../../testing/random.ts'
import { defaultLimits } from '../../transport/limits.ts'
import { callFlags, readCallHead, writeCallHead } from '../../transport/session/call-head.ts'
import { readReason } from '../../transport/session/cancel-reason.ts'
import type { ConnectionCodec } from '../codec.ts'
import { codecs } from '../codecs.ts'
import { shapesCodec } from '../shapes-codec.ts'
import { FrameDecoder } from './frame-decoder.ts'
import { type Frame, frameHeadBytes, frameType } from './frame-type.ts'
import { FrameWriter } from './frame-writer.ts'

const maxFrameBytes = 64 * 1024
const rounds = Number(process.env.COVEY_FUZZ_FRAMES ?? 1_000_000)

/** Frames whose time is taken together. */
const batch = 512

/** Time that this thread had a processor, however busy the machine is. */
function processorMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

/** Types of frames that begin with the head of a call. */
const calls: number[] = [frameType.call, frameType.notify, frameType.submit]

/** Types of frames that carry a value. */
const carriers = [frameType.result, frameType.item, frameType.error, frameType.cancel]

/** Whole frames of all kinds, in all codecs. */
function corpus(): Uint8Array[] {
  const values = [
    { id: 12_345, name: 'Ada', tags: ['a', 'b'], nested: { deep: [[[1.5]]] } },
    'ünï😀'.repeat(20),
    [new Map([['k', 1n]]), new Set([new Date(0)]), new Uint8Array(40)],
    Array.from({ length: 40 }, (_, index) => ({ index, text: `item ${index}` })),
  ]
  const metadata = new Map([['tenant', 'blue']])
  const seeds: Uint8Array[] = []
  for (const value of values) {
    for (const codec of codecs) {
      if (codec.name === 'json' && Array.isArray(value) && value[0] instanceof Map) continue
      for (const trace of [undefined, nextSpan()]) {
        const entries = trace ? metadata : noMetadata
        const head = { method: 3, timeoutMs: 500, trace, metadata: entries, baggage: entries }
        const writer = new FrameWriter(maxFrameBytes)
        writer.frame(calls[seeds.length % calls.length]!, callFlags(head), 7, (out) => {
          writeCallHead(head, out)
          codec.encode(value, out)
        })
        writer.frame(carriers[seeds.length % carriers.length]!, 0, 7, (out) =>
          codec.encode(value, out),
        )
        seeds.push(writer.take())
      }
    }
  }
  return seeds
}

/** Frames with shapes, and the announcements that belong to them, at the front. */
async function shapedCorpus(): Promise<Uint8Array[]> {
  const writer = new FrameWriter(maxFrameBytes)
  const seeds: Uint8Array[] = []
  const codec = shapesCodec.open!((body) => {
    writer.frame(frameType.shape, 0, 0, body)
    seeds.push(writer.take())
    return true
  })
  const item = (id: number) => ({ id, at: { x: 1, y: 'two' }, tags: [{ tag: 'a' }, { tag: 'b' }] })
  for (let id = 0; id < 6; id++) {
    writer.frame(frameType.item, 0, 7, (out) => codec.encode([item(id), item(-id)], out))
    const bytes = writer.take()
    if (id > 4) seeds.push(bytes)
    await null
  }
  // Texts that come again, in places.
  writer.frame(frameType.item, 0, 7, (out) => codec.encode([1, 2, 3, 4, 5].map(item), out))
  seeds.push(writer.take())
  return seeds
}

/** A codec that knows the shapes of the corpus. */
function openShapes(announcements: readonly Uint8Array[]): ConnectionCodec {
  const codec = shapesCodec.open!(() => true)
  for (const bytes of announcements) codec.learnShape(bytes, frameHeadBytes, bytes.length)
  return codec
}

let opened = openShapes([])

/** Does with a frame what a session does; anything but a CoveyError is a fault of ours. */
function read(frame: Frame): void {
  for (const codec of [...codecs, opened]) {
    try {
      if (frame.type === frameType.shape) {
        opened.learnShape(frame.bytes, frame.start, frame.end)
        continue
      }
      if (frame.type === frameType.cancel) readReason(frame, codec)
      const isCall = calls.includes(frame.type)
      const start = isCall ? readCallHead(frame, defaultLimits).bodyStart : frame.start
      codec.decode(frame.bytes, start, frame.end)
    } catch (error) {
      if (!(error instanceof CoveyError)) throw error
    }
  }
}

function feed(bytes: Uint8Array, random: () => number): void {
  const decoder = new FrameDecoder(maxFrameBytes)
  const cut = Math.floor(random() * bytes.length)
  try {
    decoder.push(bytes.subarray(0, cut), read)
    decoder.push(bytes.subarray(cut), read)
  } catch (error) {
    if (!(error instanceof CoveyError)) throw error
  }
}

test(`${rounds} damaged frames do no harm`, { timeout: 1_800_000 }, async () => {
  const seed = Number(process.env.COVEY_SEED ?? Date.now() % 2 ** 31)
  const random = seededRandom(seed)
  const shaped = await shapedCorpus()
  const announcements = shaped.slice(0, 3)
  assert.ok(announcements.every((bytes) => bytes[4] === frameType.shape))
  assert.ok(shaped.slice(-2).every((bytes) => bytes.includes(0xc1)))
  assert.ok(Buffer.from(shaped.at(-1)!).includes(Buffer.from([0xc1, 0xe0])))
  const seeds = [...corpus(), ...shaped]
  const prototypeKeys = Object.getOwnPropertyNames(Object.prototype).length
  const arrayKeys = Object.getOwnPropertyNames(Array.prototype).length
  let slowestMs = 0
  let beganMs = processorMs()
  // Each seed holds two frames.
  for (let round = 0; round < rounds; round += 2) {
    if (round % batch === 0) {
      const nowMs = processorMs()
      slowestMs = Math.max(slowestMs, nowMs - beganMs)
      beganMs = nowMs
      // Damaged announcements use numbers up.
      opened = openShapes(announcements)
    }
    const bytes = mutate(seeds[Math.floor(random() * seeds.length)]!, random)
    try {
      feed(bytes, random)
    } catch (cause) {
      throw new Error(`seed ${seed}, round ${round}`, { cause })
    }
  }
  assert.equal(Object.getOwnPropertyNames(Object.prototype).length, prototypeKeys)
  assert.equal(Object.getOwnPropertyNames(Array.prototype).length, arrayKeys)
  assert.equal(({} as Record<string, unknown>).polluted, undefined)
  // They take 10 ms; a single one that is slow in its size is not hidden by the others.
  assert.ok(slowestMs < 250, `seed ${seed}: ${batch} frames took ${slowestMs} ms of the processor`)
  assert.ok(process.memoryUsage().rss < 512 * 1024 * 1024, `${process.memoryUsage().rss} bytes`)
})
