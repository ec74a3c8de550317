/**
 * Text that every codec can write: its first `maxLength` UTF-16 units at most, without half a character at the cut, and U+FFFD for
 * halves of characters (lone surrogates) elsewhere.
 */
export function shortText(text: string, maxLength = Number.POSITIVE_INFINITY): string {
  if (text.length <= maxLength) return text.toWellFormed()
  const last = text.charCodeAt(maxLength - 1)
  const half = last >= 0xd800 && last < 0xdc00
  return text.slice(0, half ? maxLength - 1 : maxLength).toWellFormed()
}
