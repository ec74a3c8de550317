import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { refuseInexactNumbers } from './inexact-numbers.ts'

const check = (json: string) => refuseInexactNumbers(Buffer.from(json))

test('integers that would be rounded are refused wherever they stand', () => {
  const inexact = ['9007199254740993', '-9007199254740993', '1234567890123456789', '9'.repeat(400)]
  for (const digits of inexact) {
    for (const json of [
      digits,
      `[1,${digits}]`,
      `{"a":"x","b": ${digits} }`,
      `"${'y'.repeat(30)}${digits}`,
    ]) {
      if (json.startsWith('"')) assert.doesNotThrow(() => check(`${json}"`), json)
      else assert.throws(() => check(json), /cannot be read exactly; send it as text/, json)
    }
  }
})

test('numbers that are held as they are, and text, are let be', () => {
  const fine = [
    '9007199254740991',
    '9007199254740992',
    '12345678901234567000',
    '1234567890.1234567890123456',
    '12345678901234567e3',
    '0.1234567890123456789',
    '{"9007199254740993":"9007199254740993"}',
    '["\\"9007199254740993",1]',
    '123456789012345',
    '',
  ]
  for (const json of fine) assert.doesNotThrow(() => check(json), json)
})

test('whatever JavaScript writes is let be, and what it would change is refused', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.double(), fc.string(), fc.maxSafeInteger())), (values) =>
      check(JSON.stringify({ values })),
    ),
  )
  fc.assert(
    fc.property(fc.bigInt(0n, 2n ** 70n), fc.nat(40), (value, spaces) => {
      const json = `[${' '.repeat(spaces)}${value}]`
      const changed = BigInt((JSON.parse(json) as number[])[0]!) !== value
      if (changed && String(Number(value)) !== String(value)) assert.throws(() => check(json))
      else check(json)
    }),
    { numRuns: 1_000 },
  )
})
