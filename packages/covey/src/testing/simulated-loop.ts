import type { Clock, Timer } from '../base/clock.ts'

interface Due {
  readonly atMs: number
  readonly run: () => void
}

/** What arrives over a connection. */
interface Arrival extends Due {
  readonly connection: string
}

/** What a turn takes by itself, in milliseconds. */
const turnMs = 0.02

/**
 * An event loop on a clock of its own, which goes on when code says that it uses the processor, or when there is nothing to
 * do: timers, then everything that has arrived, connection by connection, then what was asked for by `soon`. Promises
 * are settled for real, between the phases.
 */
export class SimulatedLoop {
  nowMs = 0
  readonly #timers: Due[] = []
  readonly #arrivals: Arrival[] = []
  /** Of the next one that has not been read. */
  #unread = 0
  #soon: (() => void)[] = []
  #asked = 0

  readonly clock: Clock = {
    wallMs: () => this.nowMs,
    monotonicMs: () => this.nowMs,
    after: (delayMs, run) => this.#after(delayMs, run),
    every: () => {
      throw new Error('not simulated')
    },
  }

  /** Uses the processor. */
  readonly spend = (ms: number): void => {
    this.nowMs += ms
  }

  /** As `setImmediate`. */
  readonly soon = (run: () => void): void => {
    this.#asked += 1
    this.#soon.push(run)
  }

  /** How often `soon` was asked for. */
  get asked(): number {
    return this.#asked
  }

  /** Waits without using the processor. */
  readonly wait = (ms: number): Promise<void> =>
    new Promise((resolve) => void this.#after(ms, resolve))

  /** Lets something arrive; to be asked for before it runs. */
  arrive(atMs: number, connection: string, run: () => void): void {
    this.#arrivals.push({ atMs, connection, run })
  }

  /** Turns until nothing is left to do. */
  async run(): Promise<void> {
    this.#arrivals.sort((one, other) => one.atMs - other.atMs)
    for (;;) {
      if (this.#soon.length === 0 && !this.#sleep()) return
      this.nowMs += turnMs
      await this.#phase(this.#dueTimers())
      await this.#phase(this.#read())
      const soon = this.#soon
      this.#soon = []
      for (const run of soon) await this.#phase([{ atMs: 0, run }])
    }
  }

  /** Until something is due; false if nothing ever will be. */
  #sleep(): boolean {
    const timerMs = Math.min(...this.#timers.map(({ atMs }) => atMs))
    const nextMs = Math.min(this.#arrivals[this.#unread]?.atMs ?? Number.POSITIVE_INFINITY, timerMs)
    if (nextMs === Number.POSITIVE_INFINITY) return false
    this.nowMs = Math.max(this.nowMs, nextMs)
    return true
  }

  #dueTimers(): Due[] {
    const due = this.#timers.filter(({ atMs }) => atMs <= this.nowMs)
    for (const timer of due) this.#timers.splice(this.#timers.indexOf(timer), 1)
    return due.sort((one, other) => one.atMs - other.atMs)
  }

  /** What is there by now, the first connection first, as an operating system tells it. */
  #read(): Due[] {
    const first = this.#unread
    while ((this.#arrivals[this.#unread]?.atMs ?? Number.POSITIVE_INFINITY) <= this.nowMs)
      this.#unread += 1
    const there = this.#arrivals.slice(first, this.#unread)
    return there.sort((one, other) =>
      one.connection < other.connection ? -1 : one.connection === other.connection ? 0 : 1,
    )
  }

  async #phase(list: readonly Due[]): Promise<void> {
    if (list.length === 0) return
    for (const { run } of list) run()
    await new Promise((resolve) => setImmediate(resolve))
  }

  #after(delayMs: number, run: () => void): Timer {
    const due = { atMs: this.nowMs + delayMs, run }
    this.#timers.push(due)
    return {
      stop: () => {
        const place = this.#timers.indexOf(due)
        if (place !== -1) this.#timers.splice(place, 1)
      },
    }
  }
}
