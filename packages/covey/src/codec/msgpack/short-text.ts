/** Up to here text made of its character codes is faster than a call into the platform's decoder (measured on Node 26). */
export const shortTextBytes = 64

const text = String.fromCharCode

/** The text of `size` bytes if they are all ASCII, otherwise undefined. Eight at a time take half the time of one by one. */
export function shortText(bytes: Uint8Array, from: number, size: number): string | undefined {
  const end = from + size
  let all = 0
  for (let index = from; index < end; index++) all |= bytes[index]!
  if (all > 0x7f) return undefined
  let made = ''
  let at = from
  for (; end - at >= 8; at += 8) {
    made += text(
      bytes[at]!,
      bytes[at + 1]!,
      bytes[at + 2]!,
      bytes[at + 3]!,
      bytes[at + 4]!,
      bytes[at + 5]!,
      bytes[at + 6]!,
      bytes[at + 7]!,
    )
  }
  if (end - at >= 4) {
    made += text(bytes[at]!, bytes[at + 1]!, bytes[at + 2]!, bytes[at + 3]!)
    at += 4
  }
  for (; at < end; at++) made += text(bytes[at]!)
  return made
}
