/** Values that parsers get wrong more often than others. */
const nasty = [0x00, 0x01, 0x7f, 0x80, 0x90, 0x9f, 0xc1, 0xc9, 0xdb, 0xdd, 0xdf, 0xfe, 0xff]

/**
 * Damages a copy of some bytes in one to four places: flips, nasty values, cuts, repeats, insertions.
 * @param random numbers in [0, 1)
 */
export function mutate(bytes: Uint8Array, random: () => number): Uint8Array {
  // Not by `slice`, which of a Buffer is no copy.
  let result: Uint8Array = new Uint8Array(bytes)
  const times = 1 + Math.floor(random() * 4)
  for (let count = 0; count < times; count++) result = mutateOnce(result, random)
  return result
}

function mutateOnce(bytes: Uint8Array, random: () => number): Uint8Array {
  const at = Math.floor(random() * bytes.length)
  switch (Math.floor(random() * 6)) {
    case 0:
      bytes[at] = bytes[at]! ^ (1 << Math.floor(random() * 8))
      return bytes
    case 1:
      bytes[at] = nasty[Math.floor(random() * nasty.length)]!
      return bytes
    case 2:
      bytes[at] = Math.floor(random() * 256)
      return bytes
    case 3:
      return bytes.slice(0, at)
    case 4:
      return join(bytes, bytes.subarray(at, at + 1 + Math.floor(random() * 16)))
    default:
      return join(
        bytes.subarray(0, at),
        new Uint8Array([Math.floor(random() * 256)]),
        bytes.subarray(at),
      )
  }
}

function join(...parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    joined.set(part, at)
    at += part.length
  }
  return joined
}
