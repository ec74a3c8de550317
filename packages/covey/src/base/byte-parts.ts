/** Pieces from this size on are kept as they are, in bytes. */
const largeBytes = 4 * 1024

/** Smaller ones are copied behind one another into memory of this size. */
const blockBytes = 16 * 1024

/**
 * Bytes that arrive in pieces and are put together at the end. A sender may cut them as small as it likes: an object for each byte
 * would take some hundred times as much memory as the bytes.
 */
export class ByteParts {
  #size = 0
  #parts: Uint8Array[] = []
  #block: Uint8Array | undefined
  #used = 0

  /** Bytes so far. */
  get size(): number {
    return this.#size
  }

  /** Adds a piece, which nobody may change any more. */
  push(piece: Uint8Array): void {
    this.#size += piece.length
    // The only one, mostly.
    if (this.#size === piece.length || piece.length >= largeBytes) {
      this.#closeBlock()
      this.#parts.push(piece)
    } else this.#copy(piece)
  }

  /** All bytes so far, and begins anew. */
  take(): Uint8Array {
    this.#closeBlock()
    const parts = this.#parts
    const whole = parts.length === 1 ? parts[0]! : joined(parts, this.#size)
    this.#parts = []
    this.#size = 0
    return whole
  }

  #copy(piece: Uint8Array): void {
    if (this.#block === undefined || this.#used + piece.length > this.#block.length) {
      this.#closeBlock()
      this.#block = new Uint8Array(blockBytes)
    }
    this.#block.set(piece, this.#used)
    this.#used += piece.length
  }

  #closeBlock(): void {
    if (this.#block === undefined) return
    // A block that is mostly empty is not kept for the little in it.
    const full = this.#used > blockBytes / 2
    this.#parts.push(full ? this.#block.subarray(0, this.#used) : this.#block.slice(0, this.#used))
    this.#block = undefined
    this.#used = 0
  }
}

function joined(parts: readonly Uint8Array[], size: number): Uint8Array {
  const whole = new Uint8Array(size)
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
