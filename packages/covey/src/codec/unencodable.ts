import { CoveyError } from '../error/covey-error.ts'
import { codecLimits } from './codec.ts'

/** Decimal digits and the sign of the longest big integer. */
export const maxBigintLength = 4_096

/** Keys may be long, and an error goes to the caller. */
const maxPathLength = 200

/** Thrown inside a codec that has no form for `value`; whoever began tells where it lies, by {@link toldWhere}. */
export class Unencodable extends Error {
  readonly value: unknown

  constructor(value: unknown, reason: string) {
    super(reason)
    this.value = value
  }
}

/**
 * What to throw when `root` could not be encoded: an {@link Unencodable} becomes `UNENCODABLE` with the path to what could not be
 * sent, anything else stays as it is. The path is looked for only now, so that it costs nothing where all goes well.
 */
export function toldWhere(thrown: unknown, root: unknown): unknown {
  if (!(thrown instanceof Unencodable)) return thrown
  const path = pathTo(thrown.value, root)
  const where = path === undefined || path === '' ? '' : `${path}: `
  return new CoveyError('UNENCODABLE', `${where}${thrown.message}`)
}

/** Names an object of a kind that would arrive without what makes it up; undefined for one whose properties are all there is. */
export function lossyKind(value: object): string | undefined {
  if (Object.getPrototypeOf(value) === Object.prototype) return undefined
  // The platform's own types keep what they hold out of their properties.
  const tag = Object.prototype.toString.call(value)
  if (tag === '[object Object]') return undefined
  const kind = tag.slice('[object '.length, -1)
  if (ArrayBuffer.isView(value) || value instanceof Error || value instanceof String) return kind
  return Object.keys(value).length === 0 ? kind : undefined
}

/** @param kind of the value, as `lossyKind` names it */
export function lossy(value: object, kind: string): Unencodable {
  const bytes = value instanceof ArrayBuffer || ArrayBuffer.isView(value)
  const advice = bytes ? '; send bytes as a Uint8Array, numbers as an array' : ''
  return new Unencodable(value, `a value of type ${kind} cannot be sent${advice}`)
}

export function unsendable(value: unknown): Unencodable {
  return new Unencodable(value, `a ${typeof value} cannot be sent`)
}

/** The peer would refuse it, lest it changes the prototype of an object. */
export function protoKey(holder: object): Unencodable {
  return new Unencodable(holder, 'an object with a key "__proto__" cannot be sent')
}

export function invalidDate(value: Date): Unencodable {
  return new Unencodable(value, 'an invalid date cannot be sent')
}

export function halfCharacter(value: string): Unencodable {
  return new Unencodable(value, 'text with half a character (a lone surrogate)')
}

export function longBigint(value: bigint): Unencodable {
  return new Unencodable(value, `a bigint over ${maxBigintLength} characters`)
}

export function tooDeep(value: object): Unencodable {
  return new Unencodable(value, `nested deeper than ${codecLimits.maxDepth}, or in a circle`)
}

export function tooMany(container: object): Unencodable {
  return new Unencodable(container, `over ${codecLimits.maxElements} elements`)
}

/** Both would arrive as null. @throws Unencodable for keys, or elements, of which one would be lost */
export function requireDistinct(value: Map<unknown, unknown> | Set<unknown>): void {
  if (!value.has(undefined) || !value.has(null)) return
  throw new Unencodable(value, 'undefined and null, which become the same, in one map or set')
}

/** `users.3.photo`; undefined if it was made on the way, by a `toJSON` or a getter. */
function pathTo(wanted: unknown, root: unknown): string | undefined {
  const seen = new Set<object>()
  const find = (value: unknown): string[] | undefined => {
    if (value === wanted) return []
    if (typeof value !== 'object' || value === null || seen.has(value)) return undefined
    seen.add(value)
    for (const [key, item] of entriesOf(value)) {
      const path = find(key) ?? find(item)
      if (path !== undefined) return [String(key), ...path]
    }
    return undefined
  }
  try {
    return find(root)?.join('.').slice(0, maxPathLength).toWellFormed()
  } catch {
    // A getter that throws, or a value so deep that the search breaks off.
    return undefined
  }
}

function entriesOf(value: object): Iterable<[unknown, unknown]> {
  if (value instanceof Map || Array.isArray(value)) return value.entries()
  if (value instanceof Set) return [...value].entries()
  return ArrayBuffer.isView(value) ? [] : Object.entries(value)
}
