interface Entry {
  readonly bytes: Uint8Array
  readonly key: string
}

const maxKeyBytes = 32
const slots = 1024

/**
 * Remembers the text of map keys by their bytes: messages of one method have the same keys each time, and
 * comparing bytes is cheaper than making text. Direct-mapped, so its memory is bounded (1,024 keys of
 * at most 32 bytes) and a flood of new keys only makes it miss.
 */
export class KeyCache {
  readonly #entries: (Entry | undefined)[] = new Array(slots)

  get(bytes: Uint8Array, from: number, size: number): string | undefined {
    if (size > maxKeyBytes || size === 0) return undefined
    const entry = this.#entries[slotOf(bytes, from, size)]
    if (entry === undefined || entry.bytes.length !== size) return undefined
    const known = entry.bytes
    for (let index = 0; index < size; index++) {
      if (known[index] !== bytes[from + index]) return undefined
    }
    return entry.key
  }

  set(bytes: Uint8Array, from: number, size: number, key: string): void {
    if (size > maxKeyBytes || size === 0) return
    this.#entries[slotOf(bytes, from, size)] = { bytes: bytes.slice(from, from + size), key }
  }
}

function slotOf(bytes: Uint8Array, from: number, size: number): number {
  const mix =
    size * 31 + bytes[from]! * 7 + bytes[from + size - 1]! * 131 + bytes[from + (size >> 1)]! * 17
  return mix & (slots - 1)
}
