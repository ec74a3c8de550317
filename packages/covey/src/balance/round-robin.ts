import type { Balancer } from './balancer.ts'

/** One after the other, whatever their state and weight. For calls that all cost the same. */
export function roundRobin(): Balancer {
  let turn = -1
  return (candidates) => {
    turn = (turn + 1) % candidates.length
    return candidates[turn]!
  }
}
