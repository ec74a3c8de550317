/** So many parts of a value are looked at on each level, … */
const mostParts = 32
/** … and so many levels. */
const mostLevels = 4

/** What anything takes, at the least. */
const leastBytes = 8

/**
 * About how many bytes a value would take as a message, from a look at a part of it: the first elements of a list stand for the
 * others. For bounds on what waits, where encoding everything would cost more than it is worth.
 */
export function roughBytes(value: unknown, levels = mostLevels): number {
  if (typeof value === 'string') return leastBytes + value.length
  if (typeof value !== 'object' || value === null) return leastBytes
  if (ArrayBuffer.isView(value)) return leastBytes + value.byteLength
  if (levels === 0) return leastBytes
  const parts: unknown[] = Array.isArray(value) ? value : Object.values(value)
  const some = parts.slice(0, mostParts)
  if (some.length === 0) return leastBytes
  const sum = some.reduce<number>((bytes, part) => bytes + roughBytes(part, levels - 1), 0)
  return leastBytes + (sum * parts.length) / some.length
}
