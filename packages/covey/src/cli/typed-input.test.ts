import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { defineContract } from '../contract/define-contract.ts'
import { describeContract } from '../contract/describe-contract.ts'
import { unary } from '../contract/method.ts'
import { CoveyError } from '../error/covey-error.ts'
import { typedInput } from './typed-input.ts'

/** What `covey call` sends for JSON that a method with this schema takes. */
function typed(value: unknown, input: z.ZodType): unknown {
  const contract = defineContract('a', { b: unary({ input }) })
  return typedInput(value, describeContract(contract).methods[0]!.input)
}

test('what JSON has no form for is made of the usual one, where it is wanted', () => {
  const input = z.object({
    at: z.date(),
    until: z.date().nullable().optional(),
    bytes: z.instanceof(Uint8Array),
    big: z.bigint(),
    small: z.bigint(),
    tags: z.set(z.string()),
    counts: z.map(z.string(), z.number()),
    rooms: z.array(z.object({ since: z.date() })),
    byName: z.record(z.string(), z.date()),
    text: z.string(),
    pair: z.tuple([z.string(), z.date()]),
  })
  const iso = '2026-01-31T12:00:00.000Z'
  const value = typed(
    {
      at: iso,
      until: null,
      bytes: 'AQI=',
      big: '12345678901234567890',
      small: 7,
      tags: ['a', 'a'],
      counts: [['a', 1]],
      rooms: [{ since: '2026-01-31' }],
      byName: { ada: iso },
      text: iso,
      pair: [iso, iso],
    },
    input,
  )
  const date = new Date(iso)
  const expected = {
    at: date,
    until: null,
    bytes: new Uint8Array([1, 2]),
    big: 12345678901234567890n,
    small: 7n,
    tags: new Set(['a']),
    counts: new Map([['a', 1]]),
    rooms: [{ since: new Date('2026-01-31') }],
    byName: { ada: date },
    text: iso,
    pair: [iso, date],
  }
  assert.deepEqual(value, expected)
  assert.ok(input.safeParse(value).success)
})

test('types that stand within themselves, nothing, and what may be one of several', () => {
  const tree = z.object({
    at: z.date(),
    get more() {
      return tree.optional()
    },
  })
  const at = '2026-01-31T00:00:00.000Z'
  const date = new Date(at)
  assert.deepEqual(typed({ at, more: { at } }, tree), { at: date, more: { at: date } })
  assert.equal(typedInput(7, null), 7)
  assert.equal(typed(at, z.union([z.string(), z.date()])), at)
  assert.deepEqual(typed(at, z.date()), date)
  const circle = { $ref: '#/$defs/a', $defs: { a: { $ref: '#/$defs/a' } } }
  assert.equal(typedInput('x', circle), 'x')
  assert.equal(typedInput('x', { format: 'constructor' }), 'x')
})

test('what cannot be made is refused with how it is typed', () => {
  const input = z.object({ list: z.array(z.date()) })
  const refused: [() => unknown, RegExp][] = [
    [() => typed({ list: ['x'] }, input), /^the input: list\.0: a Date is typed as ISO 8601 text/],
    [() => typed('1.5', z.bigint()), /^the input: a bigint is typed as text of digits/],
    [() => typed('%', z.instanceof(Uint8Array)), /a Uint8Array is typed as text in base64/],
    [() => typed([1], z.map(z.any(), z.any())), /a Map is typed as a list of \[key, value\]/],
    [() => typed('x', z.set(z.any())), /a Set is typed as a list/],
  ]
  for (const [run, message] of refused) {
    assert.throws(run, (error) => {
      assert.ok(error instanceof CoveyError && error.code === 'INVALID_INPUT')
      assert.match(error.message, message)
      return true
    })
  }
})
