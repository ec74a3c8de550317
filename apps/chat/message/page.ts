/** Most text in one answer, in bytes: half of what may wait for a slow phone before it is cut off. */
export const maxPageBytes = 128 * 1024

/**
 * Takes from a list until `limit` elements or {@link maxPageBytes} of text are reached; the first always. `full` is
 * false when something was left out.
 */
export function takePage<T>(
  rows: Iterable<T>,
  limit: number,
  textOf: (row: T) => string,
): { rows: T[]; full: boolean } {
  const taken: T[] = []
  let bytes = 0
  for (const row of rows) {
    bytes += Buffer.byteLength(textOf(row))
    const tooMuch = taken.length >= limit || (bytes > maxPageBytes && taken.length > 0)
    if (tooMuch) return { rows: taken, full: false }
    taken.push(row)
  }
  return { rows: taken, full: true }
}
