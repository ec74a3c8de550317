import type { Balancer } from './balancer.ts'
import { leastPending } from './least-pending.ts'
import { p2c } from './p2c.ts'
import { roundRobin } from './round-robin.ts'
import { weighted } from './weighted.ts'

/** The ways of choosing among instances, by name. */
const balancers = { p2c, leastPending, roundRobin, weighted } as const

/** How a client chooses among the instances that fit. Default `p2c`. */
export type Balance = keyof typeof balancers

/**
 * Makes the balancer of a name, with a state of its own.
 * @param random numbers in [0, 1)
 * @throws TypeError if there is none of this name
 */
export function createBalancer(name: Balance, random: () => number): Balancer {
  if (Object.hasOwn(balancers, name)) return balancers[name](random)
  const known = Object.keys(balancers).join(', ')
  throw new TypeError(`balance "${name}": use one of ${known}`)
}
