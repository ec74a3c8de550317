import { checkTests } from './check-tests.ts'
import { isKnownZodSchema, type ZodDef, type ZodSchema } from './zod-schema.ts'

/** Thrown where a schema says something that a check does not know: the whole schema is left to its library then. */
export class NotKnown extends Error {}

/** Some JavaScript that tests a value, as an expression over the name that it was made for. */
interface Test {
  readonly code: string
  /** Whether undefined passes. */
  readonly undefined: boolean
  /**
   * Whether all that the schema accepts comes out of it as it went in, so that in a union it cannot change what
   * a later option would have left alone.
   */
  readonly pure: boolean
}

/**
 * Writes the JavaScript of a check. Nothing of the schema gets into the text but numbers and quoted names; all else is
 * reached as a constant, by number.
 */
export class CheckSource {
  /** What the text calls `c[0]`, `c[1]`, … */
  readonly constants: unknown[] = []
  readonly #functions: string[] = []
  readonly #open = new Set<ZodSchema>()

  /** The text of a function of `c` that gives the check. @throws NotKnown */
  program(schema: unknown): string {
    const { code } = this.#test(schema, 'v')
    return `'use strict'\n${this.#functions.join('\n')}\nreturn (v) => ${code}`
  }

  #test(schema: unknown, v: string): Test {
    if (!isKnownZodSchema(schema) || this.#open.has(schema)) throw new NotKnown()
    this.#open.add(schema)
    const { def } = schema._zod
    if (def.coerce) throw new NotKnown()
    const test = this.#typeTest(schema, def, v)
    this.#open.delete(schema)
    const rules = checkTests(def, v, (value) => this.#constant(value))
    if (rules === undefined) throw new NotKnown()
    return { ...test, code: [test.code, ...rules].join(' && ') }
  }

  // One branch a type.
  #typeTest(schema: ZodSchema, def: ZodDef, v: string): Test {
    switch (def.type) {
      case 'string':
      case 'boolean':
      case 'bigint':
        return scalar(`typeof ${v} === '${def.type}'`)
      case 'number':
        return scalar(`Number.isFinite(${v})`)
      case 'null':
        return scalar(`${v} === null`)
      case 'undefined':
      case 'void':
        return { ...scalar(`${v} === undefined`), undefined: true }
      case 'any':
      case 'unknown':
        return { ...scalar('true'), undefined: true }
      case 'date':
        return scalar(`${v} instanceof Date && !Number.isNaN(${v}.getTime())`)
      case 'literal':
      case 'enum':
        return this.#oneOf(schema, v)
      case 'custom':
        return this.#instance(schema, v)
      case 'nullable':
        return this.#or(def.innerType, v, 'null')
      case 'optional':
        return { ...this.#or(def.innerType, v, 'undefined'), undefined: true }
      case 'union':
        return this.#union(def, v)
      case 'array':
        return impure(`${this.#array(def)}(${v})`)
      case 'object':
        return impure(`${this.#object(def)}(${v})`)
      case 'record':
        return impure(`${this.#record(def)}(${v})`)
      default:
        throw new NotKnown()
    }
  }

  #constant(value: unknown): string {
    return `c[${this.constants.push(value) - 1}]`
  }

  #oneOf({ _zod: { values } }: ZodSchema, v: string): Test {
    if (!(values instanceof Set)) throw new NotKnown()
    const list = [...values]
    const texts = list.length <= 8 && list.every((value) => typeof value === 'string')
    const code = texts
      ? `(${list.map((text) => `${v} === ${JSON.stringify(text)}`).join(' || ') || 'false'})`
      : `${this.#constant(new Set(list))}.has(${v})`
    return { code, undefined: values.has(undefined), pure: true }
  }

  /** `z.instanceof(…)`, which leaves the class where it can be found; any other custom schema is not known. */
  #instance({ _zod: { bag } }: ZodSchema, v: string): Test {
    if (typeof bag?.Class !== 'function') throw new NotKnown()
    return scalar(`${v} instanceof ${this.#constant(bag.Class)}`)
  }

  #or(inner: unknown, v: string, other: 'null' | 'undefined'): Test {
    const test = this.#test(inner, v)
    return { ...test, code: `(${v} === ${other} || (${test.code}))` }
  }

  /**
   * The first option that accepts a value decides what becomes of it. So an option behind one that may change what it
   * accepts never counts, unless a discriminator makes sure that no other option accepts.
   */
  #union({ options = [], discriminator, unionFallback, inclusive }: ZodDef, v: string): Test {
    const exclusive = discriminator !== undefined
    if (inclusive === false && !exclusive) throw new NotKnown()
    if (exclusive && (unionFallback || !haveTags(options, discriminator))) throw new NotKnown()
    const counted: Test[] = []
    for (const option of options) {
      const test = this.#test(option, v)
      counted.push(test)
      if (!test.pure && !exclusive) break
    }
    return {
      code: `(${counted.map(({ code }) => `(${code})`).join(' || ') || 'false'})`,
      undefined: counted.some((test) => test.undefined),
      pure: counted.every(({ pure }) => pure),
    }
  }

  /** Adds a function of `v` and returns its name. */
  #function(body: string): string {
    const name = `f${this.#functions.length}`
    this.#functions.push(`function ${name}(v) {\n${body}\n}`)
    return name
  }

  #array({ element }: ZodDef): string {
    const test = this.#test(element, 'e')
    const hole = test.undefined ? ' || !(i in v)' : ''
    return this.#function(`
      if (!Array.isArray(v) || Object.getPrototypeOf(v) !== Array.prototype) return false
      for (let i = 0; i < v.length; i++) {
        const e = v[i]
        if (!(${test.code})${hole}) return false
      }
      return true`)
  }

  /**
   * Every key is either known or passes the catch-all; each known key is there, unless it may be missing. Counting finds
   * those that are there and not enumerable, which do not travel.
   */
  #object({ shape = {}, catchall }: ZodDef): string {
    if (Object.getOwnPropertySymbols(shape).length > 0) throw new NotKnown()
    const keys = Object.keys(shape)
    const lines = keys.map((key, index) => this.#property(key, shape[key]!, `p${index}`))
    const cases = keys.map((key) => `case ${JSON.stringify(key)}:`).join(' ')
    const known = keys.length === 0 ? '' : `${cases} n -= 1; break`
    return this.#function(`
      if (typeof v !== 'object' || v === null || Object.getPrototypeOf(v) !== Object.prototype) return false
      let n = 0
      ${lines.join('\n')}
      for (const k in v) {
        switch (k) {
          ${known}
          default: ${this.#unknownKey(catchall)}
        }
      }
      return n === 0`)
  }

  #property(key: string, schema: ZodSchema, p: string): string {
    // What all objects have would look as if it were there.
    if (key in Object.prototype) throw new NotKnown()
    const name = JSON.stringify(key)
    const test = this.#test(schema, p)
    const read = `const ${p} = v[${name}]`
    if (!test.undefined) return `${read}; if (!(${test.code})) return false; n += 1`
    const mayMiss = schema._zod.def.type === 'optional'
    const missing = mayMiss ? '' : `else return false`
    return `${read}; if (!(${test.code})) return false; if (${p} !== undefined || ${name} in v) n += 1; ${missing}`
  }

  #unknownKey(catchall: ZodSchema | undefined): string {
    if (catchall === undefined || catchall._zod.def.type === 'never') return 'return false'
    const { code } = this.#test(catchall, 'u')
    return `const u = v[k]; if (k === '__proto__' || !(${code})) return false`
  }

  #record({ keyType, valueType, mode }: ZodDef): string {
    const plainKeys = isKnownZodSchema(keyType) && this.#test(keyType, 'k').code === anyText
    if (!plainKeys || (mode !== undefined && mode !== 'strict')) throw new NotKnown()
    const { code } = this.#test(valueType, 'e')
    return this.#function(`
      if (typeof v !== 'object' || v === null || Object.getPrototypeOf(v) !== Object.prototype) return false
      if (v.constructor !== Object || Object.getOwnPropertySymbols(v).length > 0) return false
      for (const k in v) {
        const e = v[k]
        if (k === '__proto__' || !(${code})) return false
      }
      return true`)
  }
}

const anyText = `typeof k === 'string'`

/** Whether each option has its own values of the discriminator, and none does without one. */
function haveTags(options: readonly ZodSchema[], discriminator: string): boolean {
  const seen = new Set<unknown>()
  return options.every((option) => {
    const tag = option._zod.def.shape?.[discriminator]
    if (!isKnownZodSchema(tag) || !['literal', 'enum'].includes(tag._zod.def.type)) return false
    const values = [...(tag._zod.values ?? [])]
    const own = values.every((value) => value !== undefined && !seen.has(value))
    for (const value of values) seen.add(value)
    return own
  })
}

function scalar(code: string): Test {
  return { code, undefined: false, pure: true }
}

function impure(code: string): Test {
  return { code, undefined: false, pure: false }
}
