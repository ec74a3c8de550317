/** Addresses that are remembered at most. A stranger with more of them is not to be held by any of them. */
const maxAddresses = 4_096

/** Time between two looks for addresses that need not be remembered any more, in milliseconds. */
const sweepMs = 1_000

/**
 * A token bucket for each address: so many connects at once, and so many a second in the long run.
 * Source: GCRA, ITU-T I.371, which needs no more than one number each: when the bucket will be full again.
 */
export class ConnectRate {
  /** Addresses whose bucket is not full, with the time when it will be. */
  readonly #fullAtMs = new Map<string, number>()
  /** Time in which one connect comes back, and in which all do. */
  readonly #oneMs: number
  readonly #allMs: number
  #sweptMs = 0

  /** @param perSecond more than 0; `Infinity` for no limit */
  constructor(perSecond: number, burst: number) {
    this.#oneMs = 1_000 / perSecond
    this.#allMs = this.#oneMs * burst
  }

  /** Addresses that are remembered. */
  get size(): number {
    return this.#fullAtMs.size
  }

  /** Whether an address may connect now; it counts then. */
  take(group: string, nowMs: number): boolean {
    if (nowMs - this.#sweptMs >= sweepMs) this.#sweep(nowMs)
    const known = this.#fullAtMs.get(group)
    const fullAtMs = Math.max(nowMs, known ?? 0) + this.#oneMs
    if (fullAtMs - nowMs > this.#allMs) return false
    if (known === undefined && this.#fullAtMs.size >= maxAddresses) this.#forgetOldest()
    this.#fullAtMs.set(group, fullAtMs)
    return true
  }

  #sweep(nowMs: number): void {
    this.#sweptMs = nowMs
    for (const [group, fullAtMs] of this.#fullAtMs) {
      if (fullAtMs <= nowMs) this.#fullAtMs.delete(group)
    }
  }

  #forgetOldest(): void {
    for (const group of this.#fullAtMs.keys()) {
      this.#fullAtMs.delete(group)
      return
    }
  }
}
