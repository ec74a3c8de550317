import { CoveyError } from '../../error/covey-error.ts'
import type { ObjectReader, ShapeReaders, ValueReader } from './decode.ts'
import { shapeLimits } from './shape-limits.ts'

/** Makes an object of the next values of a message. */
type Build = new (reader: ValueReader, depth: number) => Record<string, unknown>

/** Objects that are read one by one before code is compiled for their shape. */
const compileAt = 8

/** Compiled code by keys, for all connections of the process; bounded, so that peers cannot fill the memory with it. */
const compiled = new Map<string, Build>()
const maxCompiled = 1_024

/** The shapes that a peer has announced on one connection. */
export class ShapeTable implements ShapeReaders {
  readonly #shapes: (ShapeReader | undefined)[] = []

  at(number: number): ObjectReader | undefined {
    return this.#shapes[number]
  }

  /**
   * Takes an announcement in.
   * @param keys what the peer sent, of whatever type
   * @throws CoveyError `PROTOCOL_ERROR` if it is none, or breaks a limit
   */
  add(number: number, keys: unknown): void {
    if (number >= shapeLimits.maxShapes || this.#shapes[number] !== undefined) {
      throw new CoveyError('PROTOCOL_ERROR', `shape ${number} is over the limit or known already`)
    }
    if (!isShape(keys)) throw new CoveyError('PROTOCOL_ERROR', `shape ${number} is no list of keys`)
    this.#shapes[number] = new ShapeReader(keys)
  }
}

function isShape(keys: unknown): keys is string[] {
  if (!Array.isArray(keys) || keys.length === 0 || keys.length > shapeLimits.maxKeys) return false
  const fit = keys.every((key) => typeof key === 'string' && key !== '__proto__')
  return fit && new Set(keys).size === keys.length
}

class ShapeReader implements ObjectReader {
  readonly size: number
  readonly #keys: readonly string[]
  #build: Build | undefined
  #reads = 0

  constructor(keys: readonly string[]) {
    this.#keys = keys
    this.size = keys.length
  }

  read(reader: ValueReader, depth: number): Record<string, unknown> {
    if (this.#build !== undefined) return new this.#build(reader, depth)
    this.#reads += 1
    if (this.#reads === compileAt) this.#build = compile(this.#keys)
    const object: Record<string, unknown> = {}
    for (const key of this.#keys) object[key] = reader.value(depth)
    return object
  }
}

/**
 * A constructor of plain objects with these keys: they get their final layout at once, where adding one property after the
 * other takes three times as long. Not a literal: V8 would allocate its objects in the old generation once the first ones have
 * survived a collection. Undefined where code may not be made from text.
 */
function compile(keys: readonly string[]): Build | undefined {
  const quoted = keys.map((key) => JSON.stringify(key))
  const known = compiled.get(quoted.join())
  if (known !== undefined || compiled.size >= maxCompiled) return known
  try {
    const fields = quoted.map((key) => `this[${key}] = r.value(d)`)
    const build = new Function('r', 'd', fields.join('\n')) as unknown as Build
    build.prototype = Object.prototype
    compiled.set(quoted.join(), build)
    return build
  } catch {
    return undefined
  }
}
