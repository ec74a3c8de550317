import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import type { SchemaIssue } from '../base/schema.ts'
import { schemaError } from './schema.ts'

interface Details {
  readonly issues: readonly { readonly path: string; readonly message: string }[]
  readonly more?: number
}

function issuesOf(schema: z.ZodType, value: unknown): readonly SchemaIssue[] {
  return schema.safeParse(value).error!.issues
}

test('an error names each field, and of many the first twenty', () => {
  const list = z.array(z.number())
  const few = schemaError('INVALID_INPUT', 'a.b input', issuesOf(list, ['', '']))
  assert.match(few.message, /^a\.b input: 0: [^;]+; 1: [^;]+$/)
  assert.deepEqual(Object.keys(few.details as Details), ['issues'])
  assert.equal((few.details as Details).issues.length, 2)

  const wrong = Array.from({ length: 80_000 }, () => '')
  const many = schemaError('INVALID_INPUT', 'a.b input', issuesOf(list, wrong))
  assert.match(many.message, /; 19: [^;]+; and 79980 more$/)
  const details = many.details as Details
  assert.equal(details.issues.length, 20)
  assert.equal(details.more, 79_980)
})

test('an error is short, however long names and messages are', () => {
  const name = '\ud83d\ude00'.repeat(100_000)
  const strict = z.strictObject({}).or(z.record(z.string(), z.number()))
  for (const schema of [strict, z.strictObject({}), z.record(z.string(), z.number())]) {
    const error = schemaError('INVALID_INPUT', 'a.b input', issuesOf(schema, { [name]: 'x' }))
    assert.ok(error.message.length < 600, String(error.message.length))
    assert.ok(error.message.isWellFormed())
    assert.ok(JSON.stringify(error.details).length < 700)
  }
})

test('names from a stranger that are no text do not spoil the message', () => {
  const input = JSON.parse('{"\\ud800": 1}')
  const error = schemaError(
    'INVALID_INPUT',
    'a.b input',
    issuesOf(z.record(z.string(), z.string()), input),
  )
  assert.ok(error.message.isWellFormed())
  assert.equal((error.details as Details).issues[0]?.path, '\ufffd')
})
