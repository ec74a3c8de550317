import { type Clock, systemClock, type Timer } from '../base/clock.ts'

/**
 * The machine's clock, which counts its timers: they do not keep a process alive, so nothing else shows one that was
 * forgotten.
 */
export class CountingClock implements Clock {
  readonly #running = new Set<Timer>()

  /** Timers that have neither run out nor been stopped. */
  get timers(): number {
    return this.#running.size
  }

  wallMs(): number {
    return systemClock.wallMs()
  }

  monotonicMs(): number {
    return systemClock.monotonicMs()
  }

  after(delayMs: number, run: () => void): Timer {
    const timer = systemClock.after(delayMs, () => {
      this.#running.delete(timer)
      run()
    })
    return this.#counted(timer)
  }

  every(periodMs: number, run: () => void): Timer {
    return this.#counted(systemClock.every(periodMs, run))
  }

  #counted(timer: Timer): Timer {
    this.#running.add(timer)
    return {
      stop: () => {
        this.#running.delete(timer)
        timer.stop()
      },
    }
  }
}
