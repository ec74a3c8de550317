import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { defineContract } from '../contract/define-contract.ts'
import { describeContract } from '../contract/describe-contract.ts'
import { serverStream, unary } from '../contract/method.ts'
import { health } from '../rpc/health.ts'
import { resultContract } from '../rpc/result-contract.ts'
import { stats } from '../rpc/stats.ts'
import { overviewText } from './describe.ts'
import { typeText } from './type-text.ts'

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

test('contracts of the framework say what they give, as a person reads it', () => {
  const [healthText, statsText, resultText] = [health, stats, resultContract].map((contract) => {
    return typeText(describeContract(contract).methods[0]!.output)
  })
  assert.equal(
    healthText,
    `{
  state: 'starting' | 'ready' | 'draining'
  app: string
  instance: string
  pid: integer (≥ 0)
  uptimeMs: number (≥ 0)
}`,
  )
  assert.match(statsText!, /^ {2}lateAnswers: integer \(≥ 0\)$/m)
  assert.match(statsText!, /^ {4}errors: Record<string, integer \(≥ 0\)>$/m)
  assert.equal(
    resultText,
    `{
  state: 'done' | 'failed' | 'running' | 'unknown'
  value?: unknown
  error?: { code: string, message: string, details?: unknown }
}[]`,
  )
  assert.equal(
    typeText(describeContract(resultContract).methods[0]!.input),
    '{ tokens: string[], waitMs: number (≥ 0) }',
  )
})
