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
  const outputs = [health, stats, resultContract].map((contract) => {
    const [method] = describeContract(contract).methods
    return typeText(method!.output)
  })
  assert.deepEqual(outputs, [
    `{
  state: 'starting' | 'ready' | 'draining'
  app: string
  instance: string
  pid: integer (≥ 0)
  uptimeMs: number (≥ 0)
}`,
    `{
  app: string
  instance: string
  uptimeMs: number (≥ 0)
  connections: integer (≥ 0)
  lateAnswers: integer (≥ 0)
  admission?: {
    waiting: integer (≥ 0)
    waited: integer (≥ 0)
    refused: integer (≥ 0)
    maxWaitedMs: integer (≥ 0)
  }
  methods: {
    method: string
    running: integer (≥ 0)
    calls: integer (≥ 0)
    errors: Record<string, integer (≥ 0)>
    meanMs: number (≥ 0)
    p50Ms: number (≥ 0)
    p99Ms: number (≥ 0)
    maxMs: number (≥ 0)
  }[]
}`,
    `{
  state: 'done' | 'failed' | 'running' | 'unknown'
  value?: unknown
  error?: { code: string, message: string, details?: unknown }
}[]`,
  ])
  assert.equal(
    typeText(describeContract(resultContract).methods[0]!.input),
    '{ tokens: string[], waitMs: number (≥ 0) }',
  )
})
