const maxUs = 1_000_000

/**
 * Counts latencies in buckets of 1 µs up to one second; what is slower counts as one second.
 * Recording is one array increment, so that the measurement costs the measured loop next to
 * nothing.
 */
export class Histogram {
  #counts = new Uint32Array(maxUs + 1)
  #total = 0

  get total(): number {
    return this.#total
  }

  record(us: number): void {
    const bucket = us < maxUs ? Math.round(us) : maxUs
    this.#counts[bucket]!++
    this.#total++
  }

  /**
   * The latency in µs that the fraction `quantile` (0–1) of all records does not exceed; 0 when
   * there are none.
   */
  quantile(quantile: number): number {
    const rank = Math.ceil(quantile * this.#total)
    let seen = 0
    for (let us = 0; us <= maxUs; us++) {
      seen += this.#counts[us]!
      if (seen >= rank) return us
    }
    return maxUs
  }
}
