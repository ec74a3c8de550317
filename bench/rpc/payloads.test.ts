import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Payload } from './payload.ts'
import { payloadNames, payloads } from './payloads.ts'

test('payloads have the sizes of their names as JSON', () => {
  const size = (name: keyof typeof payloads) =>
    JSON.stringify(payloads[name].create(123_456)).length
  assert.ok(Math.abs(size('100B') - 100) <= 10, `${size('100B')}`)
  assert.ok(Math.abs(size('1KiB') - 1024) <= 4, `${size('1KiB')}`)
  assert.ok(Math.abs(size('16KiB') - 16 * 1024) <= 4, `${size('16KiB')}`)
  assert.equal((payloads.list50.create(1) as Payload[]).length, 50)
  const share = size('list50distinct') / size('list50')
  assert.ok(share > 0.98 && share < 1.02, `${share}`)
})

test('no two objects of a distinct list have a text in common', () => {
  for (const id of [1, 9, 10, 77_777]) {
    const list = payloads.list50distinct.create(id) as Payload[]
    const texts = list.flatMap(({ name, email, tags }) => [name, email, ...tags])
    assert.equal(texts.length, 200)
    assert.equal(new Set(texts).size, 200)
  }
})

test('an equal copy is an echo; another id or a change in any field is none', () => {
  for (const name of payloadNames) {
    const { create, isEcho } = payloads[name]
    assert.ok(isEcho(create(7), structuredClone(create(7))), name)
    assert.ok(!isEcho(create(7), create(8)), name)
  }
  const { create, isEcho } = payloads['100B']
  const changes = { name: 'x', email: 'x', score: 1, tags: ['math'] }
  for (const [field, value] of Object.entries(changes)) {
    assert.ok(!isEcho(create(7), { ...(create(7) as Payload), [field]: value }), field)
  }
  const list = payloads.list50
  assert.ok(!list.isEcho(list.create(1), (list.create(1) as Payload[]).slice(0, 49)))
})
