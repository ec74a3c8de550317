import { codecLimits } from './codec.ts'
import {
  halfCharacter,
  invalidDate,
  longBigint,
  lossy,
  lossyKind,
  maxBigintLength,
  protoKey,
  requireDistinct,
  toldWhere,
  tooDeep,
  tooMany,
  unsendable,
} from './unencodable.ts'

/**
 * A copy of a value as MessagePack would carry it, without the bytes: what arrives in another process arrives in the same one, and
 * what is refused there is refused here.
 * @throws CoveyError `UNENCODABLE`, naming the path
 */
export function copyValue(value: unknown): unknown {
  // Nothing is sent as no bytes.
  if (value === undefined) return undefined
  try {
    return new Copier().copy(value, 0)
  } catch (error) {
    throw toldWhere(error, value)
  }
}

/** Copies one message. */
class Copier {
  #elements = 0

  /** @param depth of the value in the message */
  copy(value: unknown, depth: number): unknown {
    switch (typeof value) {
      case 'string':
        if (value.isWellFormed()) return value
        throw halfCharacter(value)
      case 'number':
      case 'boolean':
        return value
      case 'undefined':
        return null
      case 'object':
        return value === null ? null : this.#object(value, depth)
      case 'bigint':
        if (value.toString().length <= maxBigintLength) return value
        throw longBigint(value)
      default:
        throw unsendable(value)
    }
  }

  #object(value: object, depth: number): unknown {
    if (depth >= codecLimits.maxDepth) throw tooDeep(value)
    if (Array.isArray(value)) return this.#items(value, depth)
    const prototype = Object.getPrototypeOf(value)
    if (prototype === Object.prototype || prototype === null) return this.#properties(value, depth)
    if (value instanceof Uint8Array) return new Uint8Array(value)
    if (value instanceof Date) return copyDate(value)
    if (value instanceof Map) return this.#map(value, depth)
    if (value instanceof Set) return new Set(this.#elementsOf(value, value, depth))
    if (typeof (value as { toJSON?: unknown }).toJSON === 'function') {
      return this.copy((value as { toJSON(): unknown }).toJSON(), depth + 1)
    }
    const kind = lossyKind(value)
    if (kind !== undefined) throw lossy(value, kind)
    return this.#properties(value, depth)
  }

  #items(value: readonly unknown[], depth: number): unknown[] {
    this.#count(value.length, value)
    const items: unknown[] = []
    for (let index = 0; index < value.length; index++) {
      items.push(this.copy(value[index], depth + 1))
    }
    return items
  }

  #properties(value: object, depth: number): Record<string, unknown> {
    const entries = value as Readonly<Record<string, unknown>>
    const copy: Record<string, unknown> = {}
    let count = 0
    for (const key of Object.keys(entries)) {
      const item = entries[key]
      if (item === undefined) continue
      if (key === '__proto__') throw protoKey(value)
      if (!key.isWellFormed()) throw halfCharacter(key)
      count += 1
      copy[key] = this.copy(item, depth + 1)
    }
    this.#count(count, value)
    return copy
  }

  #map(value: Map<unknown, unknown>, depth: number): Map<unknown, unknown> {
    const map = new Map<unknown, unknown>()
    const parts = this.#elementsOf(value, [...value].flat(1), depth)
    for (let index = 0; index < parts.length; index += 2) map.set(parts[index], parts[index + 1])
    return map
  }

  /** Those of a map or a set lie in an array of their own. */
  #elementsOf(
    value: Map<unknown, unknown> | Set<unknown>,
    elements: Iterable<unknown>,
    depth: number,
  ): unknown[] {
    if (depth + 1 >= codecLimits.maxDepth) throw tooDeep(value)
    requireDistinct(value)
    return this.#items([...elements], depth + 1)
  }

  #count(elements: number, container: object): void {
    this.#elements += elements
    if (this.#elements > codecLimits.maxElements) throw tooMany(container)
  }
}

function copyDate(value: Date): Date {
  const ms = value.getTime()
  if (Number.isNaN(ms)) throw invalidDate(value)
  return new Date(ms)
}
