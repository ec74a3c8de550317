/** Settings of how calls are repeated, whole numbers. */
export interface RetrySettings {
  /** How often a call is sent at most, the first time included, 1 to 10; 1 means never again. Default 3. */
  readonly attempts?: number | undefined
  /** Upper bound of the first random pause, in milliseconds; it doubles with each attempt. Default 50. */
  readonly baseMs?: number | undefined
  /** Upper bound of every pause, in milliseconds. Default 1,000. */
  readonly maxMs?: number | undefined
  /** How many of 100 calls to a service may be repeated, 0 to 100. Default 10. */
  readonly budgetPercent?: number | undefined
  /** Repetitions a second that are allowed to a service however few its calls are, 0 to 1,000. Default 10. */
  readonly minPerSecond?: number | undefined
}

interface Bounds {
  readonly usual: number
  readonly least: number
  readonly most: number
}

/** Sources: 3 attempts and 10 % are those of Google's SRE book; 10 a second and 10 s are Finagle's; full jitter is AWS's. */
export const retryBounds = {
  attempts: { usual: 3, least: 1, most: 10 },
  baseMs: { usual: 50, least: 0, most: 60_000 },
  maxMs: { usual: 1_000, least: 0, most: 60_000 },
  budgetPercent: { usual: 10, least: 0, most: 100 },
  minPerSecond: { usual: 10, least: 0, most: 1_000 },
} as const satisfies Record<keyof RetrySettings, Bounds>

/** How the calls of a process are repeated. Read when a call has failed, so that changes count at once. */
export class RetryPolicy {
  attempts: number = retryBounds.attempts.usual
  baseMs: number = retryBounds.baseMs.usual
  maxMs: number = retryBounds.maxMs.usual
  budgetPercent: number = retryBounds.budgetPercent.usual
  minPerSecond: number = retryBounds.minPerSecond.usual

  /** @throws TypeError naming what is wrong */
  constructor(settings: RetrySettings = {}) {
    this.change(settings)
  }

  /** Takes over what is said; what is not stays. @throws TypeError naming what is wrong */
  change(settings: RetrySettings): void {
    const names = Object.keys(retryBounds) as (keyof typeof retryBounds)[]
    for (const name of names) {
      const value = settings[name]
      if (value === undefined) continue
      const { least, most } = retryBounds[name]
      if (!Number.isInteger(value) || value < least || value > most) {
        throw new TypeError(`retry.${name}: expected ${least} to ${most}, found ${value}`)
      }
      this[name] = value
    }
  }
}
