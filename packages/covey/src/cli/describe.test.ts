import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { defineContract } from '../contract/define-contract.ts'
import { describeContract } from '../contract/describe-contract.ts'
import { serverStream, unary } from '../contract/method.ts'
import { overviewText } from './describe.ts'

test('an overview has a line for each method: what it takes by name, and what is special', () => {
  const Id = z.string()
  const contract = defineContract('users', {
    get: unary({ input: z.object({ id: Id, tags: z.array(Id) }), idempotent: true }),
    rename: unary({ input: Id, timeoutMs: 800 }),
    count: serverStream({ output: z.number() }),
    pick: unary({
      input: z.union([z.object({ id: Id }), z.object({ longNames: z.array(z.uuid()) })]),
    }),
  })
  assert.equal(
    overviewText(describeContract(contract)),
    `users
  get     { id, tags }  may be repeated, 5 s
  rename  string        800 ms
  count                 gives a stream
  pick    …             5 s
`,
  )
})
