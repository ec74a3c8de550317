/** Settings of how instances whose calls fail are left out. */
export interface EjectionSettings {
  /** Whether they are. Default true. */
  readonly enabled?: boolean | undefined
  /** By how many of 100 calls more than those of the others its calls must fail, 1 to 100. Default 10. */
  readonly thresholdPercent?: number | undefined
  /** For how long an instance is left out the first time, in milliseconds, 100 to 600,000; it doubles each time. Default 5,000. */
  readonly baseMs?: number | undefined
  /** Upper bound of it, in milliseconds, 100 to 3,600,000. Default 60,000. */
  readonly maxMs?: number | undefined
  /** How many of 100 instances may be left out at the same time, 0 to 50. Default 50. */
  readonly maxPercent?: number | undefined
}

/**
 * Half of the instances stay, for fleets are often small; Envoy and gRPC leave out 10 %, for 30 s × the times that
 * it happened, at most 300 s, and take an instance back at once. Here a few single calls try it first, so that it may be tried sooner.
 */
export const ejectionBounds = {
  thresholdPercent: { usual: 10, least: 1, most: 100 },
  baseMs: { usual: 5_000, least: 100, most: 600_000 },
  maxMs: { usual: 60_000, least: 100, most: 3_600_000 },
  maxPercent: { usual: 50, least: 0, most: 50 },
} as const

/** When the channels of a process leave out instances whose calls fail. Read when a call has failed, so that changes count at once. */
export class EjectionPolicy {
  enabled = true
  thresholdPercent: number = ejectionBounds.thresholdPercent.usual
  baseMs: number = ejectionBounds.baseMs.usual
  maxMs: number = ejectionBounds.maxMs.usual
  maxPercent: number = ejectionBounds.maxPercent.usual

  /** @throws TypeError naming what is wrong */
  constructor(settings: EjectionSettings = {}) {
    this.change(settings)
  }

  /** Takes over what is said; what is not stays. @throws TypeError naming what is wrong */
  change(settings: EjectionSettings): void {
    this.enabled = settings.enabled ?? this.enabled
    const names = Object.keys(ejectionBounds) as (keyof typeof ejectionBounds)[]
    for (const name of names) {
      const value = settings[name]
      if (value === undefined) continue
      const { least, most } = ejectionBounds[name]
      if (!Number.isInteger(value) || value < least || value > most) {
        throw new TypeError(`ejection.${name}: expected ${least} to ${most}, found ${value}`)
      }
      this[name] = value
    }
  }
}
