/**
 * Whether two pieces hold the same bytes, in a time that does not tell where they differ: every byte is looked at.
 * Only a difference in length is told at once.
 */
export function sameBytes(left: Uint8Array, right: Uint8Array): boolean {
  if (left.length !== right.length) return false
  let difference = 0
  for (let at = 0; at < left.length; at++) difference |= left[at]! ^ right[at]!
  return difference === 0
}
