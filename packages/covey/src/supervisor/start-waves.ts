interface Ordered {
  readonly name: string
  readonly after: readonly string[]
}

/**
 * Sorts processes into waves: each stands in the first wave behind all that it comes `after`. Names
 * that are not in the list do not count. Those that wait for each other are left over as `cycle`.
 */
export function startWaves<T extends Ordered>(
  processes: readonly T[],
): { waves: T[][]; cycle: string[] } {
  const waves: T[][] = []
  let waiting = processes
  while (waiting.length > 0) {
    const names = new Set(waiting.map(({ name }) => name))
    const isFree = ({ after }: T) => !after.some((name) => names.has(name))
    const wave = waiting.filter(isFree)
    if (wave.length === 0) return { waves, cycle: [...names] }
    waves.push(wave)
    waiting = waiting.filter((process) => !isFree(process))
  }
  return { waves, cycle: [] }
}
