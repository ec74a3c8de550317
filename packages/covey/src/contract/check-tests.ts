import type { ZodCheckDef, ZodDef } from './zod-schema.ts'

/** Formats of text that are decided by their pattern and nothing else. */
const patternFormats = new Set(
  (
    'regex lowercase uppercase guid uuid email nanoid cuid cuid2 ulid xid ksuid datetime date time duration ' +
    'ipv4 e164'
  ).split(' '),
)

/**
 * The rules of a schema beside its type, as JavaScript expressions over `v`; undefined if one of them is not known. Where
 * versions of zod differ, the expression asks for what all of them accept.
 * @param constant makes a value reachable and returns what it is called
 */
export function checkTests(
  def: ZodDef,
  v: string,
  constant: (value: unknown) => string,
): string[] | undefined {
  const rules: ZodCheckDef[] = (def.checks ?? []).map((check) => check._zod.def)
  // A schema of a format (`z.email()`) is its own first rule.
  if (def.check !== undefined && def.type !== 'custom') rules.unshift(def)
  const tests = rules.map((rule) => ruleTest(rule, def.type, v, constant))
  return tests.every((test) => test !== undefined) ? tests : undefined
}

// One branch a rule.
function ruleTest(
  rule: ZodCheckDef,
  type: string,
  v: string,
  constant: (value: unknown) => string,
): string | undefined {
  switch (rule.check) {
    case 'less_than':
      return `${v} ${rule.inclusive ? '<=' : '<'} ${constant(rule.value)}`
    case 'greater_than':
      return `${v} ${rule.inclusive ? '>=' : '>'} ${constant(rule.value)}`
    case 'multiple_of':
      if (!Number.isSafeInteger(rule.value) || type !== 'number') return undefined
      return `Number.isSafeInteger(${v}) && ${v} % ${constant(rule.value)} === 0`
    case 'number_format':
      return numberFormat(rule.format, v)
    case 'max_length':
      return `${v}.length <= ${Number(rule.maximum)}`
    case 'min_length':
      return atLeast(type, v, Number(rule.minimum))
    case 'length_equals':
      return `${v}.length === ${Number(rule.length)} && ${atLeast(type, v, Number(rule.length))}`
    case 'string_format':
      return type === 'string' ? stringFormat(rule, v, constant) : undefined
    default:
      return undefined
  }
}

/** Newer versions count the characters of a text, older ones its UTF-16 units, which are never fewer. */
function atLeast(type: string, v: string, minimum: number): string {
  const units = `${v}.length >= ${minimum}`
  if (type !== 'string' || minimum <= 1) return units
  return `(${v}.length >= ${2 * minimum} || (${units} && [...${v}].length >= ${minimum}))`
}

function numberFormat(format: string | undefined, v: string): string | undefined {
  switch (format) {
    case 'safeint':
      return `Number.isSafeInteger(${v})`
    case 'int32':
      return `(${v} | 0) === ${v}`
    case 'uint32':
      return `(${v} >>> 0) === ${v}`
    case 'float64':
      return 'true'
    default:
      return undefined
  }
}

function stringFormat(
  { format, pattern, includes, position, prefix, suffix }: ZodCheckDef,
  v: string,
  constant: (value: unknown) => string,
): string | undefined {
  switch (format) {
    case 'includes':
      return `${v}.includes(${constant(includes)}, ${constant(position)})`
    case 'starts_with':
      return `${v}.startsWith(${constant(prefix)})`
    case 'ends_with':
      return `${v}.endsWith(${constant(suffix)})`
    default:
      if (!patternFormats.has(format ?? '') || !(pattern instanceof RegExp)) return undefined
      return `${constant(fits(pattern))}(${v})`
  }
}

/** A pattern with the flags g or y remembers where it was. */
function fits(pattern: RegExp): (text: string) => boolean {
  return (text) => {
    pattern.lastIndex = 0
    return pattern.test(text)
  }
}
