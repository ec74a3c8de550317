import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import type { Schema } from '../base/schema.ts'
import { defineContract } from './define-contract.ts'
import { describeContract } from './describe-contract.ts'
import { serverStream, unary } from './method.ts'

const users = defineContract('users', {
  get: unary({
    input: z.object({ id: z.string(), count: z.number().default(1) }),
    output: z.object({ name: z.string(), born: z.date().optional() }),
    errors: { USER_GONE: z.object({ id: z.string() }) },
    idempotent: true,
    timeoutMs: 500,
  }),
  touch: unary(),
  watch: serverStream({ output: z.instanceof(Uint8Array) }),
})

test('a contract becomes plain data', () => {
  const description = describeContract(users)
  assert.deepEqual(JSON.parse(JSON.stringify(description)), description)
  const [get, touch, watch] = description.methods
  assert.deepEqual(get, {
    name: 'get',
    kind: 'unary',
    idempotent: true,
    timeoutMs: 500,
    input: {
      type: 'object',
      properties: { id: { type: 'string' }, count: { type: 'number', default: 1 } },
      required: ['id'],
    },
    output: {
      type: 'object',
      properties: { name: { type: 'string' }, born: { format: 'Date' } },
      required: ['name'],
      additionalProperties: false,
    },
    errors: {
      USER_GONE: {
        type: 'object',
        properties: { id: { type: 'string' } },
        required: ['id'],
        additionalProperties: false,
      },
    },
  })
  assert.deepEqual([touch?.input, touch?.output], [null, null])
  assert.deepEqual([watch?.kind, watch?.timeoutMs], ['serverStream', null])
  assert.deepEqual(watch?.output, { format: 'Uint8Array' })
})

test('a schema that cannot be said is anything', () => {
  const silent: Schema = {
    '~standard': { version: 1, vendor: 'x', validate: (value) => ({ value }) },
  }
  const failing: Schema = {
    '~standard': {
      ...silent['~standard'],
      jsonSchema: {
        input: () => {
          throw new Error('no such draft')
        },
        output: () => ({}),
      },
    },
  }
  const contract = defineContract('odd', {
    a: unary({ input: silent }),
    b: unary({ input: failing }),
  })
  assert.deepEqual(
    describeContract(contract).methods.map(({ input }) => input),
    [{}, {}],
  )
})
