import type { Balancer, Candidate } from './balancer.ts'

/**
 * The one with the fewest calls without a result, in relation to its weight; of equals, each in its turn. For calls whose
 * costs differ much. Looks at all candidates.
 */
export function leastPending(): Balancer {
  let turn = -1
  return (candidates) => {
    const { length } = candidates
    turn = (turn + 1) % length
    let best = candidates[turn]!
    let bestLoad = loadOf(best)
    for (let step = 1; step < length; step++) {
      const other = candidates[(turn + step) % length]!
      const load = loadOf(other)
      if (load >= bestLoad) continue
      best = other
      bestLoad = load
    }
    return best
  }
}

/** With the call that is to be placed, so that idle candidates differ by weight too. */
function loadOf({ pending, weight }: Candidate): number {
  return (pending + 1) / weight
}
