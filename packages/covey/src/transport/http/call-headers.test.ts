import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultLimits } from '../limits.ts'
import { readCallHeaders } from './call-headers.ts'

const read = (headers: Record<string, string>) => readCallHeaders(headers, defaultLimits)

test('beside respond-async, wait is no limit on the work', () => {
  assert.equal(read({ prefer: 'wait=3' }).timeoutMs, 3_000)
  assert.equal(read({ prefer: 'respond-async, wait=3' }).timeoutMs, undefined)
  assert.equal(read({ prefer: 'wait=3; respond-async' }).timeoutMs, undefined)
  const both = { prefer: 'respond-async, wait=3', 'covey-timeout-ms': '700' }
  assert.equal(read(both).timeoutMs, 700)
})

test('malformed baggage counts as none, malformed metadata is an error', () => {
  const { baggage } = read({ baggage: 'a=100%, b=%F0%28, c=1, d e=2, =3, f' })
  assert.deepEqual([...baggage], [['c', '1']])
  assert.throws(() => read({ 'covey-meta-a': '100%' }), /header covey-meta-a: expected percent/)
})
