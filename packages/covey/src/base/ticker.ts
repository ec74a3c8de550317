import type { Clock, Timer } from './clock.ts'

/** Something that is looked after once a period. */
export interface Ticking {
  tick(): void
}

/** Parts of a period; what is looked after in one turn is that part of all there is, of 10,000 connections 200. */
const parts = 50

/**
 * Looks after many things once a period with one timer, which runs only while there are any, and spreads them over the
 * period: thousands of connections must not all wake up in the same turn.
 */
export class Ticker {
  readonly #clock: Clock
  readonly #partMs: number
  readonly #members: Set<Ticking>[] = Array.from({ length: parts }, () => new Set())
  #size = 0
  #startMs = 0
  /** Parts that are over since the start. */
  #done = 0
  #timer: Timer | undefined

  constructor(clock: Clock, periodMs: number) {
    this.#clock = clock
    this.#partMs = periodMs / parts
  }

  /** The first tick comes after a period, or up to a part of it earlier; then one each period. Returns its part. */
  add(member: Ticking): number {
    if (this.#timer === undefined) this.#start()
    const part = this.#done % parts
    this.#members[part]!.add(member)
    this.#size += 1
    return part
  }

  /** @param part what `add` returned */
  remove(member: Ticking, part: number): void {
    if (!this.#members[part]!.delete(member)) return
    this.#size -= 1
    if (this.#size > 0) return
    this.#timer?.stop()
    this.#timer = undefined
  }

  #start(): void {
    this.#startMs = this.#clock.monotonicMs()
    this.#done = 0
    this.#timer = this.#clock.every(this.#partMs, () => this.#turn())
  }

  /** Goes by the clock, not by the number of turns: on a busy process they come late. */
  #turn(): void {
    const due = Math.floor((this.#clock.monotonicMs() - this.#startMs) / this.#partMs)
    const first = Math.max(this.#done, due - parts) + 1
    this.#done = due
    for (let part = first; part <= due; part++) {
      for (const member of this.#members[part % parts]!) member.tick()
    }
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
