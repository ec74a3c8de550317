import type { Balancer, Candidate } from './balancer.ts'

/**
 * The better of two random candidates, by expected time × (pending + 1) / weight. Two choices bring nearly all of
 * the benefit of knowing every load, without a herd.
 * Sources: Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing" (2001); Finagle's peak EWMA.
 * @param random numbers in [0, 1)
 */
export function p2c(random: () => number = Math.random): Balancer {
  return (candidates) => {
    const { length } = candidates
    if (length === 1) return candidates[0]!
    const first = Math.floor(random() * length)
    const second = (first + 1 + Math.floor(random() * (length - 1))) % length
    const a = candidates[first]!
    const b = candidates[second]!
    return cost(a) <= cost(b) ? a : b
  }
}

/** A candidate without history but with work counts as slow, so that a new one is not flooded. */
const unknownLatencyMs = 1_000

function cost({ pending, latencyMs, weight }: Candidate): number {
  if (weight === 0) return Number.POSITIVE_INFINITY
  const expected = latencyMs === 0 && pending > 0 ? unknownLatencyMs : latencyMs
  return (expected * (pending + 1)) / weight
}
