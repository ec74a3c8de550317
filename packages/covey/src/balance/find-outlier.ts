import type { FailureRate } from './failure-rate.ts'

/** Fewer failures than these are chance. Envoy's figure for failures in a row. */
export const leastFailures = 5

/**
 * The difference must be so many times what chance makes of it where all fail alike: once in 30,000 looks. More of them would leave
 * instances out in turn while something that all of them need is down.
 */
const sigmas = 4

/** Something whose calls fail more often than those of the others. */
export interface Outlier<C> {
  readonly one: C
  /** How many of its calls fail, 0 to 1. */
  readonly rate: number
  /** The same of all others. */
  readonly othersRate: number
}

/**
 * The one whose calls fail the most by comparison with those of all others, if that cannot be chance: the test of two proportions.
 * @param threshold the least difference, 0 to 1
 */
export function findOutlier<C extends { readonly failures: FailureRate }>(
  all: readonly C[],
  threshold: number,
): Outlier<C> | undefined {
  let calls = 0
  let failed = 0
  for (const { failures } of all) {
    calls += failures.calls
    failed += failures.failed
  }
  let worst: Outlier<C> | undefined
  let worstBy = 0
  for (const one of all) {
    const { failures: own } = one
    const othersCalls = calls - own.calls
    if (own.failed < leastFailures || othersCalls <= 0) continue
    const rate = own.failed / own.calls
    const othersRate = (failed - own.failed) / othersCalls
    const common = failed / calls
    const chance = Math.sqrt(common * (1 - common) * (1 / own.calls + 1 / othersCalls))
    const by = rate - othersRate - Math.max(threshold, sigmas * chance)
    if (by <= worstBy) continue
    worst = { one, rate, othersRate }
    worstBy = by
  }
  return worst
}
