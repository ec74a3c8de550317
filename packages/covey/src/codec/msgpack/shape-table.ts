import { CoveyError } from '../../error/covey-error.ts'
import { type CompiledShape, CompiledShapes } from './compiled-shapes.ts'
import type { ObjectReader, ShapeReaders, ValueReader } from './decode.ts'
import { shapeLimits } from './shape-limits.ts'

/** Objects that are read one by one before code is compiled for their shape. */
const compileAt = 8

/** For all connections of the process, which is to compile what all of them say once. */
const compiledShapes = new CompiledShapes(1_024)

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
  #compiled: CompiledShape | undefined
  #reads = 0

  constructor(keys: readonly string[]) {
    this.#keys = keys
    this.size = keys.length
  }

  read(reader: ValueReader, depth: number): Record<string, unknown> {
    const compiled = this.#compiled
    if (compiled?.build !== undefined) {
      compiled.used = true
      return new compiled.build(reader, depth)
    }
    this.#countRead()
    const object: Record<string, unknown> = {}
    for (const key of this.#keys) object[key] = reader.value(depth)
    return object
  }

  #countRead(): void {
    if (this.#compiled !== undefined) {
      // Its place was given away, for it was not used for long.
      this.#compiled = undefined
      this.#reads = 0
    }
    this.#reads += 1
    if (this.#reads === compileAt) this.#compiled = compiledShapes.get(this.#keys)
  }
}
