import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { noMetadata } from '../../call/metadata.ts'
import { Trace } from '../../call/trace.ts'
import { FrameDecoder } from '../../codec/frame/frame-decoder.ts'
import { frameType } from '../../codec/frame/frame-type.ts'
import { FrameWriter } from '../../codec/frame/frame-writer.ts'
import { type CallHead, callFlags, readCallHead, writeCallHead } from './call-head.ts'

const heads = fc.record({
  method: fc.integer({ min: 0, max: 0xffff }),
  timeoutMs: fc.oneof(
    fc.integer({ min: 0, max: 0xfffffffe }),
    fc.constant(Number.POSITIVE_INFINITY),
  ),
  trace: fc.option(
    fc
      .tuple(
        fc.uint8Array({ minLength: 25, maxLength: 25 }),
        fc.constantFrom('', '', 'rojo=00f067aa0ba902b7,congo=t61rcWkgMzE'),
      )
      .map(([bytes, state]) => new Trace(bytes, state)),
    { nil: undefined },
  ),
  metadata: entries(),
  baggage: entries(),
})

function entries() {
  return fc
    .array(fc.tuple(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }), wellFormed()))
    .map((list) => (list.length === 0 ? noMetadata : new Map(list)))
}

function wellFormed() {
  return fc.string({ unit: 'grapheme', maxLength: 300 }).filter((text) => text.isWellFormed())
}

test('the head of a call survives', () => {
  fc.assert(
    fc.property(heads, (head) => {
      const bytes = new FrameWriter(1 << 20)
      bytes.frame(frameType.call, callFlags(head), 9, (out) => writeCallHead(head, out))
      new FrameDecoder(1 << 20).push(bytes.take(), (frame) => {
        const read = readCallHead(frame, { maxMetadataBytes: 1 << 20, maxBaggageBytes: 1 << 20 })
        assert.equal(read.bodyStart, frame.end)
        assert.equal(read.head.method, head.method)
        assert.equal(read.head.timeoutMs, head.timeoutMs)
        assert.deepEqual(read.head.metadata, head.metadata)
        assert.deepEqual(read.head.baggage, head.baggage)
        assert.equal(read.head.trace?.traceId, head.trace?.traceId)
        assert.equal(read.head.trace?.spanId, head.trace?.spanId)
        assert.equal(read.head.trace?.sampled, head.trace?.sampled)
        assert.equal(read.head.trace?.state, head.trace?.state)
      })
    }),
  )
})

const limits = { maxMetadataBytes: 1_024, maxBaggageBytes: 512 }
const big = new Map([['big', 'x'.repeat(800)]])

function read(head: CallHead, flags = callFlags(head)): CallHead | undefined {
  const writer = new FrameWriter(1 << 20)
  writer.frame(frameType.call, flags, 1, (out) => writeCallHead(head, out))
  let result: CallHead | undefined
  new FrameDecoder(1 << 20).push(writer.take(), (frame) => {
    result = readCallHead(frame, limits).head
  })
  return result
}

const bare = { method: 0, timeoutMs: 1, trace: undefined, metadata: noMetadata }

test('metadata and baggage over their own limits are refused', () => {
  assert.deepEqual(read({ ...bare, metadata: big })?.metadata, big)
  assert.throws(() => read({ ...bare, baggage: big }), {
    code: 'MESSAGE_TOO_LARGE',
    message: /^baggage of 806 bytes; the limit is 512/,
  })
  const metadata = new Map([['big', 'x'.repeat(2_000)]])
  assert.throws(() => read({ ...bare, metadata }), {
    code: 'MESSAGE_TOO_LARGE',
    message: /^metadata of 2006 bytes; the limit is 1024/,
  })
})

test('flags of the future are told from those that must not be set', () => {
  assert.equal(read(bare, 16 | 32 | 128)?.method, 0)
  assert.throws(() => read(bare, 8), { code: 'PROTOCOL_ERROR' })
})

test('a state that is not as it has to be is left out, and is no metadata', () => {
  const trace = new Trace(new Uint8Array(25))
  const metadata = new Map([['tracestate', 'Not=so']])
  const wrong = read({ ...bare, trace, metadata })!
  assert.deepEqual([wrong.trace?.state, wrong.metadata.size], ['', 0])
  // Without a trace there is none to have a state.
  assert.deepEqual(read({ ...bare, metadata })?.metadata, metadata)
})

test('text of metadata and baggage arrives as it was, or is refused where it was sent', () => {
  const texts = new Map([
    ['\ufeffname', '\ufeffvalue'],
    ['ünï', '😀\ufffd'],
    ['empty', ''],
  ])
  const both = read({ ...bare, metadata: texts, baggage: texts })
  assert.deepEqual(both?.metadata, texts)
  assert.deepEqual(both?.baggage, texts)
  const halves: [string, string][] = [
    ['name', 'a\ud800'],
    ['a\udc00', 'value'],
  ]
  for (const half of halves) {
    const entries = new Map([half])
    assert.throws(() => read({ ...bare, metadata: entries }), { code: 'UNENCODABLE' })
    assert.throws(() => read({ ...bare, baggage: entries }), { code: 'UNENCODABLE' })
  }
})
