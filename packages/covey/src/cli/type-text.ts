import type { JsonSchema } from '../contract/describe-contract.ts'

/** A type that fits into this many characters stays on its line. */
const lineWidth = 88

/** Types within types that are written out; deeper ones are an ellipsis. */
const maxDepth = 12

/**
 * A JSON Schema as a person reads it, in the manner of TypeScript: `{ id: string, tags?: string[] }`. What is long is
 * written over several lines, indented by `indent` blanks. Types of their own (`$defs`) stand below.
 */
export function typeText(schema: JsonSchema | null, indent = 0): string {
  if (schema === null) return 'nothing'
  const text = new TypeText(schema).text(schema, indent, 0)
  const named = Object.entries(recordOf(schema.$defs)).map(
    ([name, definition]) =>
      `\n${' '.repeat(indent)}${nameOf(name)} = ${new TypeText(schema).text(recordOf(definition), indent, 0)}`,
  )
  return text + named.join('')
}

class TypeText {
  readonly #root: JsonSchema

  constructor(root: JsonSchema) {
    this.#root = root
  }

  text(schema: JsonSchema, indent: number, depth: number): string {
    if (depth > maxDepth) return '…'
    const alternatives = schema.anyOf ?? schema.oneOf
    if (Array.isArray(alternatives)) return this.#joined(alternatives, ' | ', indent, depth)
    if (Array.isArray(schema.allOf)) return this.#joined(schema.allOf, ' & ', indent, depth)
    if (typeof schema.$ref === 'string') return this.#reference(schema.$ref)
    if (Array.isArray(schema.enum)) return schema.enum.map(literal).join(' | ')
    if (Object.hasOwn(schema, 'const')) return literal(schema.const)
    if (Array.isArray(schema.type)) {
      const each = schema.type.map((type) => ({ ...schema, type }))
      return this.#joined(each, ' | ', indent, depth)
    }
    return this.#single(schema, indent, depth)
  }

  #single(schema: JsonSchema, indent: number, depth: number): string {
    switch (schema.type) {
      case 'object':
        return this.#object(schema, indent, depth)
      case 'array':
        return this.#array(schema, indent, depth)
      case 'string':
        return `string${notes([formatNote(schema), range(schema, 'minLength', 'maxLength')])}`
      case 'integer':
      case 'number':
        return `${schema.type}${notes([numberRange(schema)])}`
      case 'boolean':
      case 'null':
        return schema.type
      default:
        return typeof schema.format === 'string' ? schema.format : 'unknown'
    }
  }

  #object(schema: JsonSchema, indent: number, depth: number): string {
    const required = Array.isArray(schema.required) ? schema.required : []
    const inner = (at: number) =>
      Object.entries(recordOf(schema.properties)).map(([key, property]) => {
        const type = recordOf(property)
        const mark = required.includes(key) && !Object.hasOwn(type, 'default') ? '' : '?'
        const preset = Object.hasOwn(type, 'default') ? ` = ${literal(type.default)}` : ''
        return `${key}${mark}: ${this.text(type, at, depth + 1)}${preset}`
      })
    const rest = schema.additionalProperties
    const open = typeof rest === 'object' && rest !== null
    if (open && schema.properties === undefined) {
      return `Record<string, ${this.text(recordOf(rest), indent, depth + 1)}>`
    }
    const fields = inner(indent)
    if (fields.length === 0) return '{}'
    const line = `{ ${fields.join(', ')} }`
    if (line.length + indent <= lineWidth && !line.includes('\n')) return line
    const pad = ' '.repeat(indent + 2)
    return `{\n${inner(indent + 2)
      .map((field) => `${pad}${field}\n`)
      .join('')}${' '.repeat(indent)}}`
  }

  #array(schema: JsonSchema, indent: number, depth: number): string {
    if (Array.isArray(schema.prefixItems)) {
      const items = schema.prefixItems.map((item) => this.text(recordOf(item), indent, depth + 1))
      return `[${items.join(', ')}]`
    }
    const item = this.text(recordOf(schema.items), indent, depth + 1)
    const size = notes([range(schema, 'minItems', 'maxItems')])
    return / [|&] | \(/.test(item) && !item.startsWith('{')
      ? `(${item})[]${size}`
      : `${item}[]${size}`
  }

  #joined(parts: readonly unknown[], separator: string, indent: number, depth: number): string {
    return parts.map((part) => this.text(recordOf(part), indent, depth + 1)).join(separator)
  }

  #reference(ref: string): string {
    if (ref === '#') return typeof this.#root.title === 'string' ? this.#root.title : 'itself'
    return nameOf(ref.slice(ref.lastIndexOf('/') + 1))
  }
}

/** Types without a name of their own get one from the library; this is a shorter one. */
function nameOf(key: string): string {
  return key.replace(/^__schema/, 'Type')
}

function literal(value: unknown): string {
  return typeof value === 'string' ? `'${value}'` : JSON.stringify(value)
}

function formatNote({ format, pattern }: JsonSchema): string | undefined {
  if (typeof format === 'string') return format
  return typeof pattern === 'string' ? `/${pattern}/` : undefined
}

function numberRange(schema: JsonSchema): string | undefined {
  const { minimum, maximum } = schema
  if (typeof minimum === 'number' && typeof maximum === 'number') {
    const whole = bound('', minimum) !== undefined && bound('', maximum) !== undefined
    if (whole) return `${minimum}–${maximum}`
  }
  const bounds = [
    bound('> ', schema.exclusiveMinimum),
    bound('≥ ', schema.minimum),
    bound('< ', schema.exclusiveMaximum),
    bound('≤ ', schema.maximum),
  ].filter((text) => text !== undefined)
  return bounds.length === 0 ? undefined : bounds.join(', ')
}

/** The ends of what a number can hold exactly say nothing. */
function bound(sign: string, value: unknown): string | undefined {
  if (typeof value !== 'number' || Math.abs(value) === Number.MAX_SAFE_INTEGER) return undefined
  return sign + value
}

function range(schema: JsonSchema, least: string, most: string): string | undefined {
  const [min, max] = [schema[least], schema[most]]
  if (min === undefined && max === undefined) return undefined
  if (min === max) return `${min} long`
  if (max === undefined) return `≥ ${min} long`
  return min === undefined ? `≤ ${max} long` : `${min}–${max} long`
}

function notes(parts: readonly (string | undefined)[]): string {
  const known = parts.filter((part) => part !== undefined)
  return known.length === 0 ? '' : ` (${known.join(', ')})`
}

function recordOf(value: unknown): JsonSchema {
  return typeof value === 'object' && value !== null ? (value as JsonSchema) : {}
}
