import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Schema } from '../base/schema.ts'
import { anything, choice, number, shape, text } from './plain-schemas.ts'

/** The value, or path and message of each issue. */
async function check(schema: Schema, value: unknown): Promise<unknown> {
  const result = await schema['~standard'].validate(value)
  if (result.issues === undefined) return result.value
  return result.issues.map(({ path = [], message }) => `${path.join('.')}: ${message}`)
}

test('values that fit come through, but for fields that have no name', async () => {
  const user = shape({ id: text(), age: number(), how: choice('new', 'old'), more: anything() })
  const value = { id: '7', age: 7, how: 'new', more: { a: [1] } }
  assert.deepEqual(await check(user, { ...value, password: 'x' }), value)
})

test('each field that does not fit is named', async () => {
  const group = shape({ owner: shape({ id: text() }), size: number(), kind: choice('a', 'b') })
  assert.deepEqual(await check(group, { owner: { id: 7 }, size: '7', kind: 'c' }), [
    'owner.id: expected a text',
    'size: expected a number',
    'kind: expected one of a, b',
  ])
  assert.deepEqual(await check(group, null), [': expected an object'])
  assert.deepEqual(await check(shape({ id: text() }), {}), ['id: expected a text'])
})
