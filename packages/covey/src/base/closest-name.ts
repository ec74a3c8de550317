/**
 * The name that somebody most likely meant by a mistyped one, or undefined when none is near: at most a third of the
 * letters may differ. Upper and lower case count as equal.
 */
export function closestName(typed: string, names: Iterable<string>): string | undefined {
  let best: string | undefined
  let bestDistance = Math.floor(Math.max(typed.length, 3) / 3) + 1
  for (const name of names) {
    const distance = editDistance(typed.toLowerCase(), name.toLowerCase())
    if (distance < bestDistance) [best, bestDistance] = [name, distance]
  }
  return best
}

/** Optimal string alignment: insertions, deletions, replacements and swaps of neighbours. */
function editDistance(a: string, b: string): number {
  let before: number[] = []
  let above = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const line = [row]
    for (let column = 1; column <= b.length; column++) {
      const replaced = above[column - 1]! + (a[row - 1] === b[column - 1] ? 0 : 1)
      const swapped = a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]
      const best = Math.min(above[column]! + 1, line[column - 1]! + 1, replaced)
      line.push(swapped ? Math.min(best, before[column - 2]! + 1) : best)
    }
    before = above
    above = line
  }
  return above[b.length]!
}
