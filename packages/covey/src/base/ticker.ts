import type { Clock, Timer } from './clock.ts'

/** Something that is looked after once a period. */
export interface Ticking {
  tick(): void
}

/** Parts of a period; what is looked after in one turn is that part of all there is. */
const parts = 8

/**
 * Looks after many things once a period with one timer, which runs only while there are any, and spreads them over the
 * period: thousands of connections must not all wake up in the same turn.
 */
export class Ticker {
  readonly #clock: Clock
  readonly #partMs: number
  readonly #members: Set<Ticking>[] = Array.from({ length: parts }, () => new Set())
  #size = 0
  #now = 0
  #timer: Timer | undefined

  constructor(clock: Clock, periodMs: number) {
    this.#clock = clock
    this.#partMs = periodMs / parts
  }

  /** The first tick comes after a period, or up to an eighth of it earlier; then one each period. Returns its part. */
  add(member: Ticking): number {
    this.#timer ??= this.#clock.every(this.#partMs, () => this.#turn())
    this.#members[this.#now]!.add(member)
    this.#size += 1
    return this.#now
  }

  /** @param part what `add` returned */
  remove(member: Ticking, part: number): void {
    if (!this.#members[part]!.delete(member)) return
    this.#size -= 1
    if (this.#size > 0) return
    this.#timer?.stop()
    this.#timer = undefined
  }

  #turn(): void {
    this.#now = (this.#now + 1) % parts
    for (const member of this.#members[this.#now]!) member.tick()
  }
}

const tickers = new WeakMap<Clock, Map<number, Ticker>>()

/** The one that all share who go by the same clock at the same pace. */
export function sharedTicker(clock: Clock, periodMs: number): Ticker {
  const ofClock = tickers.get(clock) ?? new Map<number, Ticker>()
  tickers.set(clock, ofClock)
  const ticker = ofClock.get(periodMs) ?? new Ticker(clock, periodMs)
  ofClock.set(periodMs, ticker)
  return ticker
}
