/** Limits of a growing delay. All in milliseconds. */
export interface BackoffOptions {
  /** The upper bound of the first delay. Default 100. */
  baseMs?: number
  /** The upper bound of every delay. Default 10,000. */
  maxMs?: number
  /** The lowest delay ever returned. Default 0. */
  minMs?: number
  /** Source of numbers in [0, 1). Default `Math.random`. */
  random?: () => number
}

/** A delay that doubles with each failure and starts again after a success. It never gives up. */
export interface Backoff {
  /** Failures since the last `reset`. */
  readonly failures: number
  /** Counts one failure and returns how long to wait, in milliseconds. */
  next(): number
  /** Forgets the failures. */
  reset(): void
}

/**
 * Exponential backoff with full jitter: delay = random × min(max, base × 2^failures).
 * Source: M. Brooker, "Exponential Backoff and Jitter" (AWS, 2015), which shows that full jitter
 * spreads a herd best.
 */
export function createBackoff(options: BackoffOptions = {}): Backoff {
  const { baseMs = 100, maxMs = 10_000, minMs = 0, random = Math.random } = options
  let failures = 0
  return {
    get failures() {
      return failures
    },
    next() {
      const bound = Math.min(maxMs, baseMs * 2 ** Math.min(failures, 30))
      failures += 1
      return Math.max(minMs, random() * bound)
    },
    reset() {
      failures = 0
    },
  }
}
