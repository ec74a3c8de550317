import type { Balancer } from './balancer.ts'

/**
 * At random, in proportion to weights, whatever their state. For shares that are to be exact: 1 of 100 calls to the instance with
 * the new release. Looks at all candidates.
 * @param random numbers in [0, 1)
 */
export function weighted(random: () => number = Math.random): Balancer {
  return (candidates) => {
    let sum = 0
    for (const { weight } of candidates) sum += weight
    if (sum === 0) return candidates[Math.floor(random() * candidates.length)]!
    let left = random() * sum
    for (const candidate of candidates) {
      left -= candidate.weight
      if (left < 0) return candidate
    }
    // Rounding left a little over.
    return candidates.findLast(({ weight }) => weight > 0)!
  }
}
