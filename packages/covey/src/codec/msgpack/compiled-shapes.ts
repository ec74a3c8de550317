import { codeFromText } from '../../base/code-from-text.ts'
import type { ValueReader } from './decode.ts'

/** Makes an object of the next values of a message. */
interface Build {
  new (reader: ValueReader, depth: number): Record<string, unknown>
  prototype: object
}

/** The code for one list of keys, for all connections on which it was announced. */
export interface CompiledShape {
  /** Undefined once another shape has taken its place: it may be asked for again. */
  build: Build | undefined
  /** Set by who uses it. */
  used: boolean
}

/**
 * Compiled code by keys; bounded, so that peers cannot fill the memory with it. When all places are taken, one of a shape that
 * was not used since is given away, so that a peer with a thousand odd shapes costs others nothing in the long run.
 */
export class CompiledShapes {
  readonly #maxShapes: number
  readonly #shapes = new Map<string, CompiledShape>()

  constructor(maxShapes: number) {
    this.#maxShapes = maxShapes
  }

  get size(): number {
    return this.#shapes.size
  }

  /** Undefined where code may not be made from text. */
  get(keys: readonly string[]): CompiledShape | undefined {
    const quoted = keys.map((key) => JSON.stringify(key))
    const id = quoted.join()
    const known = this.#shapes.get(id)
    if (known !== undefined) return known
    const build = compile(quoted)
    if (build === undefined) return undefined
    if (this.#shapes.size >= this.#maxShapes) this.#giveAwayOne()
    const shape = { build, used: false }
    this.#shapes.set(id, shape)
    return shape
  }

  /** The clock algorithm: whose turn it is goes, but one that was used since its last turn has another one. */
  #giveAwayOne(): void {
    // Those that are set again come behind the others, also in this loop.
    for (const [id, shape] of this.#shapes) {
      this.#shapes.delete(id)
      if (!shape.used) {
        shape.build = undefined
        return
      }
      shape.used = false
      this.#shapes.set(id, shape)
    }
  }
}

/**
 * A constructor of plain objects with these keys: they get their final layout at once, where adding one property after the
 * other takes three times as long. Not a literal: V8 would allocate its objects in the old generation once the first ones have
 * survived a collection.
 */
function compile(quotedKeys: readonly string[]): Build | undefined {
  const fields = quotedKeys.map((key) => `this[${key}] = r.value(d)`)
  const build = codeFromText<Build>(['r', 'd'], fields.join('\n'))
  if (build !== undefined) build.prototype = Object.prototype
  return build
}
