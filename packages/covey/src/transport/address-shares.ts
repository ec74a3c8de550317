/** Something that holds a place. */
export interface Holder {
  /** Its address, by `addressGroup`. */
  readonly group: string
}

/**
 * Counts who holds how many of a number of places, by address. One address may use them all while nobody else wants one, but
 * what it has beyond half of them it gives up to others.
 */
export class AddressShares {
  readonly #counts = new Map<string, number>()
  readonly #share: number

  /** @param places that there are */
  constructor(places: number) {
    this.#share = Math.max(1, Math.floor(places / 2))
  }

  /** Addresses that hold a place. */
  get size(): number {
    return this.#counts.size
  }

  add(group: string): void {
    this.#counts.set(group, this.#of(group) + 1)
  }

  remove(group: string): void {
    const left = this.#of(group) - 1
    if (left > 0) this.#counts.set(group, left)
    else this.#counts.delete(group)
  }

  /** Whether an address has half of the places. */
  full(group: string): boolean {
    return this.#of(group) >= this.#share
  }

  /** Whether an address has more than half of the places. */
  over(group: string): boolean {
    return this.#of(group) > this.#share
  }

  /**
   * Who gives its place up to a newcomer: the first of another address that has more than half; else the first that is too slow. One that
   * has more than half itself takes no place from others.
   * @param holders the oldest first
   */
  yielding<T extends Holder>(
    holders: Iterable<T>,
    newcomer: string,
    tooSlow: (holder: T) => boolean,
  ): T | undefined {
    const greedy = this.over(newcomer)
    let slowest: T | undefined
    for (const holder of holders) {
      const own = holder.group === newcomer
      if (!own && this.over(holder.group)) return holder
      if (slowest === undefined && (own || !greedy) && tooSlow(holder)) slowest = holder
    }
    return slowest
  }

  #of(group: string): number {
    return this.#counts.get(group) ?? 0
  }
}
