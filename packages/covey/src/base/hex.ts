const hexOfByte = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/** Bytes from `start` to `end` as lower-case hexadecimal digits. */
export function toHex(bytes: Uint8Array, start = 0, end: number = bytes.length): string {
  let text = ''
  for (let at = start; at < end; at++) text += hexOfByte[bytes[at]!]!
  return text
}

/** The bytes that pairs of lower-case hexadecimal digits stand for, or undefined if they are no such digits. */
export function fromHex(text: string): Uint8Array | undefined {
  if (text.length % 2 !== 0 || !/^[0-9a-f]*$/.test(text)) return undefined
  const bytes = new Uint8Array(text.length / 2)
  for (let at = 0; at < bytes.length; at++) {
    bytes[at] = Number.parseInt(text.slice(2 * at, 2 * at + 2), 16)
  }
  return bytes
}
