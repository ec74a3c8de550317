import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { z } from 'zod'
import type { Schema } from '../base/schema.ts'
import { fastCheck } from './fast-check.ts'

const keys = ['a', 'b', 'c', 'x y', '"', '\\', "'];throw 1//", '\u2028', '7']
const key = fc.constantFrom(...keys)

/** Schemas that are compiled, of all types and rules. */
const { schema } = fc.letrec<{ schema: z.ZodType; leaf: z.ZodType }>((tie) => ({
  leaf: fc.constantFrom<z.ZodType>(
    z.string(),
    z.string().min(2).max(3),
    z.string().length(2),
    z.string().regex(/^a/g),
    z.string().startsWith('a').includes('b', { position: 1 }),
    z.string().endsWith('b'),
    z.email(),
    z.uuid(),
    z.iso.datetime(),
    z.number(),
    z.number().min(0).lt(3),
    z.number().multipleOf(2),
    z.int(),
    z.int32(),
    z.uint32(),
    z.boolean(),
    z.bigint().positive(),
    z.date().min(new Date(5)),
    z.literal('a'),
    z.literal(['a', 3, null]),
    z.enum(['a', 'bb']),
    z.null(),
    z.undefined(),
    z.any(),
    z.unknown(),
    z.instanceof(Uint8Array),
  ),
  schema: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    tie('leaf'),
    fc.array(tie('leaf'), { minLength: 1, maxLength: 3 }).map((options) => z.union(options)),
    tie('schema').map((inner) => z.nullable(inner)),
    tie('schema').map((inner) => z.optional(inner)),
    tie('schema').map((element) => z.array(element)),
    tie('schema').map((element) => z.array(element).min(1).max(2)),
    tie('schema').map((value) => z.record(z.string(), value)),
    fc.array(tie('schema'), { minLength: 1, maxLength: 3 }).map((options) => z.union(options)),
    fc
      .array(tie('schema'), { maxLength: 2 })
      .map((others) =>
        z.discriminatedUnion('t', [
          z.object({ t: z.literal(['a', 'b']) }),
          ...others.map((a, index) => z.object({ t: z.literal(`o${index}`), a })),
        ]),
      ),
    fc
      .tuple(
        fc.dictionary(key, tie('schema'), { maxKeys: 4, noNullPrototype: true }),
        fc.integer({ min: 0, max: 3 }),
        tie('schema'),
      )
      .map(([shape, form, rest]) => {
        if (form === 0) return z.object(shape)
        if (form === 1) return z.strictObject(shape)
        return form === 2 ? z.looseObject(shape) : z.object(shape).catchall(rest)
      }),
  ),
}))

class Point {
  x = 1
}

/** What a property has that does not travel unless it is counted. */
function hidden(value: unknown): object {
  return Object.defineProperty({ b: 1 }, 'a', { value, enumerable: false })
}

const leaves: readonly unknown[] = [
  ...['a', 'ab', 'abb', '😀', '😀b', '', 'x@y.org', '2020-01-01T00:00:00Z', 'o0'],
  '9491d710-3185-4e06-bea0-6a2f275345e0',
  ...[0, 1, 2, 2.5, -1, -0, 3, 2 ** 31, 2 ** 53, Number.NaN, 1 / 0, 3n, -3n],
  ...[
    null,
    undefined,
    true,
    false,
    new Uint8Array(2),
    new Date(1),
    new Date(7),
    new Date(Number.NaN),
  ],
  ...[Symbol.iterator, new Point(), new Map(), [], new Array(1), { constructor: Point }],
  ...[hidden(1), Object.create(null), Object.create({ a: 1 }), JSON.parse('{"__proto__":1}')],
  { constructor: () => 1, a: 1 },
]

const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom(...leaves),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.oneof(key, fc.constant('t')), tie('value'), {
      maxKeys: 4,
      noNullPrototype: true,
    }),
  ),
}))

/** A value that mostly fits: what a schema accepts, made by looking at it. */
function fitting(type: z.ZodType): fc.Arbitrary<unknown> {
  const def = type.def as unknown as {
    type: string
    innerType: z.ZodType
    element: z.ZodType
    valueType: z.ZodType
    options: z.ZodType[]
    shape: Record<string, z.ZodType>
    catchall?: z.ZodType
  }
  if (def.type === 'array') return fc.array(fitting(def.element), { maxLength: 3 })
  if (def.type === 'record')
    return fc.dictionary(key, fitting(def.valueType), { maxKeys: 2, noNullPrototype: true })
  if (def.type === 'union') return fc.oneof(...def.options.map(fitting))
  if (def.type === 'optional') return fc.oneof(fc.constant(undefined), fitting(def.innerType))
  if (def.type === 'nullable') return fc.oneof(fc.constant(null), fitting(def.innerType))
  if (def.type !== 'object') {
    const fit = leaves.filter((leaf) => type.safeParse(leaf).success)
    return fit.length === 0 ? value : fc.constantFrom(...fit)
  }
  const fields = Object.fromEntries(
    Object.entries(def.shape).map(([name, inner]) => [name, fitting(inner)]),
  )
  const exact = fc.record(fields, { noNullPrototype: true })
  const cut = fc.record(fields, { noNullPrototype: true, requiredKeys: [] })
  return fc.oneof(
    exact,
    cut,
    fc.tuple(exact, key, value).map(([some, name, more]) => ({ [name]: more, ...some })),
  )
}

test('what passes is accepted by the schema and left as it is', () => {
  let passed = 0
  fc.assert(
    fc.property(
      schema.chain((type) => fc.tuple(fc.constant(type), fc.oneof(value, fitting(type)))),
      ([type, some]) => {
        const check = fastCheck(type as Schema)
        assert.ok(check !== undefined, 'compiled')
        if (!check(some)) return
        passed += 1
        const result = type.safeParse(some)
        assert.ok(result.success, 'the schema refuses what passed')
        assert.deepEqual(result.data, some)
      },
    ),
    { numRuns: 5_000 },
  )
  assert.ok(passed > 500, `${passed} values passed`)
})

test('what fits in the plainest way passes', () => {
  const item = z.object({
    id: z.int(),
    name: z.string().min(1).optional(),
    on: z.date().nullable(),
  })
  const check = fastCheck(z.array(item) as Schema)
  assert.equal(
    check?.([
      { id: 1, on: null },
      { id: 2, name: 'Ada', on: new Date() },
    ]),
    true,
  )
  assert.equal(check?.([{ id: 1, on: null, more: 1 }]), false)
  assert.equal(check?.([{ id: 1.5, on: null }]), false)
  assert.equal(check?.([{ id: 1 }]), false)
})

test('an option that strips keys hides those behind it', () => {
  const type = z.union([z.object({ a: z.string() }), z.object({ a: z.string(), b: z.string() })])
  const check = fastCheck(type as Schema)
  assert.deepEqual([check?.({ a: 'x' }), check?.({ a: 'x', b: 'y' })], [true, false])
})

test('a schema that does more than data tells is left to its library', () => {
  const upper = z.string().transform((text) => text.toUpperCase())
  interface Tree {
    next?: Tree | undefined
  }
  const tree: z.ZodType<Tree> = z.object({
    get next() {
      return tree.optional()
    },
  })
  const odd = z.string()
  odd._zod.traits.add('MyString')
  const others: unknown[] = [
    upper,
    z.string().refine((text) => text !== 'x'),
    z.string().trim(),
    z.string().default('x'),
    z.string().catch('x'),
    z.string().readonly(),
    z.coerce.number(),
    z.preprocess(String, z.string()),
    z.codec(z.string(), z.number(), { decode: Number, encode: String }),
    z.lazy(() => z.string()),
    z.custom<string>(() => true),
    z.url(),
    z.base64(),
    z.number().multipleOf(0.1),
    z.record(z.string().min(2), z.any()),
    z.record(z.enum(['a']), z.any()),
    z.xor([z.string(), z.number()]),
    z.exactOptional(z.string()),
    z.object({ a: upper }),
    z.object({ toString: z.any() }),
    z.object({ a: z.string() }).check((payload) => void payload),
    z.discriminatedUnion('t', [z.object({ t: z.literal('a').optional() })]),
    tree,
    odd,
    {
      '~standard': { version: 1, vendor: 'other', validate: (some: unknown) => ({ value: some }) },
    },
  ]
  for (const [index, type] of others.entries()) {
    assert.equal(fastCheck(type as Schema), undefined, `number ${index} is compiled`)
  }
})

test('what the schema refuses or changes does not pass, however odd', () => {
  const anything = z.record(z.string(), z.any())
  const cases: [z.ZodType, unknown][] = [
    [z.object({ a: z.number() }), hidden(1)],
    [z.object({ a: z.number() }), Object.defineProperty({}, 'a', { value: 1 })],
    [anything, { constructor: Point }],
    [anything, { [Symbol.for('s')]: 1 }],
    [anything, JSON.parse('{"__proto__":1}')],
    [z.looseObject({}), JSON.parse('{"__proto__":1}')],
    [z.number().lt(3), 3],
    [z.number().gt(3), 3],
    [z.uint32(), 2 ** 32],
    [z.int32(), 2 ** 31],
    [z.string().max(1), 'ab'],
    [z.string().min(2), '😀'],
    [z.string().length(2), '😀'],
  ]
  for (const [type, some] of cases) {
    assert.equal(fastCheck(type as Schema)?.(some), false, JSON.stringify(some))
  }
})

test('a pattern that remembers where it was is asked from the start', () => {
  const check = fastCheck(z.string().regex(/^a/g) as Schema)
  assert.deepEqual([check?.('ab'), check?.('ac'), check?.('ba')], [true, true, false])
})

test('options of the same tag are left to the library, which refuses them', () => {
  const twice = z.discriminatedUnion('t', [
    z.object({ t: z.literal('a'), x: z.string() }),
    z.object({ t: z.literal('a'), y: z.string() }),
  ])
  const absent = z.discriminatedUnion('t', [z.object({ t: z.literal(['a', undefined]) })])
  assert.deepEqual(
    [fastCheck(twice as Schema), fastCheck(absent as Schema)],
    [undefined, undefined],
  )
})
