import type { Clock } from './clock.ts'

/**
 * A moving average of durations that believes bad news at once: it jumps to a sample above it and sinks slowly
 * to samples below. Source: Finagle's peak EWMA; its decay time is 10 s.
 */
export class PeakEwma {
  readonly #clock: Clock
  readonly #decayMs: number
  #valueMs = 0
  #atMs: number

  /** @param decayMs time in which an old value loses 63 % of its weight. Default 10,000. */
  constructor(clock: Clock, decayMs = 10_000) {
    this.#clock = clock
    this.#decayMs = decayMs
    this.#atMs = clock.monotonicMs()
  }

  /**
   * The average in milliseconds; 0 before the first sample. It sinks while there are none, so that something that was slow
   * is tried again in the end.
   */
  get valueMs(): number {
    return this.#valueMs === 0 ? 0 : this.#valueMs * this.#weight()
  }

  add(sampleMs: number): void {
    const weight = this.#weight()
    this.#atMs = this.#clock.monotonicMs()
    this.#valueMs =
      sampleMs > this.#valueMs ? sampleMs : this.#valueMs * weight + sampleMs * (1 - weight)
  }

  /** Forgets all samples. */
  reset(): void {
    this.#valueMs = 0
  }

  /** What an old value still counts. */
  #weight(): number {
    return Math.exp(-Math.max(0, this.#clock.monotonicMs() - this.#atMs) / this.#decayMs)
  }
}
