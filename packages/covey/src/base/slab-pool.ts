/**
 * Sizes of pooled slabs, and how many of each are kept for the next writer: 4.5 MiB in all. The smallest is for what goes
 * to thousands of connections in one turn; each writes into a slab of its own.
 */
const classes = [
  { bytes: 1024, keep: 512 },
  { bytes: 16 * 1024, keep: 64 },
  { bytes: 64 * 1024, keep: 16 },
  { bytes: 256 * 1024, keep: 8 },
] as const

/**
 * Memory to write into, lent for the time that something is written: connections that are silent hold none, and those that
 * write find what is still in the processor's cache instead of making work for the collector. It is not cleared in between.
 */
export class SlabPool {
  readonly #free: Uint8Array[][] = classes.map(() => [])

  /** At least `minBytes`; larger than all classes, it is made for the purpose. */
  lend(minBytes: number): Uint8Array {
    for (let index = 0; index < classes.length; index++) {
      const { bytes } = classes[index]!
      if (minBytes <= bytes) return this.#free[index]!.pop() ?? new Uint8Array(bytes)
    }
    return new Uint8Array(minBytes)
  }

  /** Only what was lent, and what nobody reads or writes any more. */
  takeBack(slab: Uint8Array): void {
    for (let index = 0; index < classes.length; index++) {
      const { bytes, keep } = classes[index]!
      const free = this.#free[index]!
      if (slab.length === bytes && free.length < keep) free.push(slab)
    }
  }
}

/** One for the process, because what it saves is saved by sharing. */
export const sharedSlabs = new SlabPool()
