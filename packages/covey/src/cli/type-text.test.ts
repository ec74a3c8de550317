import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { defineContract } from '../contract/define-contract.ts'
import { describeContract } from '../contract/describe-contract.ts'
import { unary } from '../contract/method.ts'
import { typeText } from './type-text.ts'

function textOf(input: z.ZodType): string {
  const contract = defineContract('a', { b: unary({ input }) })
  return typeText(describeContract(contract).methods[0]!.input)
}

const cases: [z.ZodType, string][] = [
  [z.string(), 'string'],
  [z.string().min(1).max(9), 'string (1–9 long)'],
  [z.string().length(3), 'string (3 long)'],
  [z.string().max(9), 'string (≤ 9 long)'],
  [z.email(), 'string (email)'],
  [z.number().int(), 'integer'],
  [z.number().positive(), 'number (> 0)'],
  [z.number().int().min(1).max(50), 'integer (1–50)'],
  [z.enum(['a', 'b']), "'a' | 'b'"],
  [z.literal(7), '7'],
  [z.boolean().nullable(), 'boolean | null'],
  [z.array(z.enum(['a', 'b'])), "('a' | 'b')[]"],
  [z.array(z.string()).min(2), 'string[] (≥ 2 long)'],
  [z.tuple([z.string(), z.number()]), '[string, number]'],
  [z.record(z.string(), z.number()), 'Record<string, number>'],
  [z.object({}), '{}'],
  [z.object({ a: z.date().optional(), b: z.bigint() }), '{ a?: Date, b: bigint }'],
  [z.object({ a: z.number().default(1) }), '{ a?: number = 1 }'],
  [z.instanceof(Uint8Array), 'Uint8Array'],
  [z.union([z.string(), z.object({ a: z.null() })]), 'string | { a: null }'],
  [z.any(), 'unknown'],
]

test('types read as TypeScript does', () => {
  for (const [schema, text] of cases) assert.equal(textOf(schema), text)
  assert.equal(typeText(null), 'nothing')
})

test('a long object takes a line for each field, indented', () => {
  const field = z.string().max(1000)
  const long = z.object({ firstOfAll: field, secondOfAll: field, third: z.object({ a: field }) })
  assert.equal(
    typeText(
      describeContract(defineContract('a', { b: unary({ input: long }) })).methods[0]!.input,
      2,
    ),
    `{
    firstOfAll: string (≤ 1000 long)
    secondOfAll: string (≤ 1000 long)
    third: { a: string (≤ 1000 long) }
  }`,
  )
})

test('a type with a name stands below, also one that contains itself', () => {
  const User = z.object({ id: z.string() }).meta({ id: 'Person' })
  assert.equal(
    textOf(z.object({ a: User, b: User })),
    '{ a: Person, b: Person }\nPerson = { id: string }',
  )
  const Tree = z.object({
    get kids() {
      return z.array(Tree)
    },
  })
  assert.match(textOf(z.object({ root: Tree })), /\{ root: Type0 \}\nType0 = \{ kids: Type0\[\] \}/)
  assert.equal(textOf(Tree), '{ kids: itself[] }')
})

test('a hostile depth ends in an ellipsis', () => {
  let schema: Record<string, unknown> = { type: 'string' }
  for (let n = 0; n < 100; n++) schema = { type: 'array', items: schema }
  assert.match(typeText(schema), /^…(\[\])+$/)
})
