import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nextSpan, Trace } from './trace.ts'

test('ids have the form of W3C Trace Context and do not repeat', () => {
  const seen = new Set<string>()
  for (let count = 0; count < 10_000; count++) {
    const { traceId, spanId, sampled } = nextSpan()
    assert.match(traceId, /^[0-9a-f]{32}$/)
    assert.match(spanId, /^[0-9a-f]{16}$/)
    assert.equal(sampled, false)
    seen.add(traceId).add(spanId)
  }
  assert.equal(seen.size, 20_000)
})

test('the next span keeps the trace and the decision to record it', () => {
  const root = new Trace(nextSpan().bytes, 'a=1')
  root.bytes[24] = 1
  const next = nextSpan(root)
  assert.equal(next.traceId, root.traceId)
  assert.notEqual(next.spanId, root.spanId)
  assert.equal(next.sampled, true)
  assert.equal(next.state, 'a=1')
  assert.equal(nextSpan().state, '')
  assert.equal(next.traceparent, `00-${next.traceId}-${next.spanId}-01`)
  assert.match(nextSpan().traceparent, /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/)
})
