import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { noMetadata } from '../../call/metadata.ts'
import { Trace } from '../../call/trace.ts'
import { FrameDecoder } from '../../codec/frame/frame-decoder.ts'
import { frameType } from '../../codec/frame/frame-type.ts'
import { FrameWriter } from '../../codec/frame/frame-writer.ts'
import { callFlags, readCallHead, writeCallHead } from './call-head.ts'

const heads = fc.record({
  method: fc.integer({ min: 0, max: 0xffff }),
  timeoutMs: fc.oneof(
    fc.integer({ min: 0, max: 0xfffffffe }),
    fc.constant(Number.POSITIVE_INFINITY),
  ),
  trace: fc.option(
    fc.uint8Array({ minLength: 25, maxLength: 25 }).map((bytes) => new Trace(bytes)),
    { nil: undefined },
  ),
  metadata: fc
    .array(fc.tuple(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }), wellFormed()))
    .map((entries) => (entries.length === 0 ? noMetadata : new Map(entries))),
})

function wellFormed() {
  return fc.string({ unit: 'grapheme', maxLength: 300 }).filter((text) => text.isWellFormed())
}

test('the head of a call survives', () => {
  fc.assert(
    fc.property(heads, (head) => {
      const bytes = new FrameWriter(1 << 20)
      bytes.frame(frameType.call, callFlags(head), 9, (out) => writeCallHead(head, out))
      new FrameDecoder(1 << 20).push(bytes.take(), (frame) => {
        const read = readCallHead(frame, 1 << 20)
        assert.equal(read.bodyStart, frame.end)
        assert.equal(read.head.method, head.method)
        assert.equal(read.head.timeoutMs, head.timeoutMs)
        assert.deepEqual(read.head.metadata, head.metadata)
        assert.equal(read.head.trace?.traceId, head.trace?.traceId)
        assert.equal(read.head.trace?.spanId, head.trace?.spanId)
        assert.equal(read.head.trace?.sampled, head.trace?.sampled)
      })
    }),
  )
})

test('metadata over the limit is refused', () => {
  const head = {
    method: 0,
    timeoutMs: 1,
    trace: undefined,
    metadata: new Map([['big', 'x'.repeat(2_000)]]),
  }
  const writer = new FrameWriter(1 << 20)
  writer.frame(frameType.call, callFlags(head), 1, (out) => writeCallHead(head, out))
  new FrameDecoder(1 << 20).push(writer.take(), (frame) => {
    assert.throws(() => readCallHead(frame, 1024), { code: 'MESSAGE_TOO_LARGE' })
  })
})
