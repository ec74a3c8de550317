/** A timer that was started by a {@link Clock}; stopping it twice is harmless. */
export interface Timer {
  stop(): void
}

/**
 * Where time comes from. Passed in wherever something waits or measures, so that tests are exact
 * and a whole fleet can be simulated.
 */
export interface Clock {
  /** Wall-clock time in milliseconds since 1970. For people and records, never for durations. */
  wallMs(): number
  /** Milliseconds on a clock that never jumps; only differences have a meaning. */
  monotonicMs(): number
  /** Calls `run` once after `delayMs`. The timer does not keep the process alive. */
  after(delayMs: number, run: () => void): Timer
  /** Calls `run` every `periodMs` until stopped. The timer does not keep the process alive. */
  every(periodMs: number, run: () => void): Timer
}

/** The clock of this machine. */
export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, run) {
    const handle = letGo(setTimeout(run, delayMs))
    return { stop: () => clearTimeout(handle) }
  },
  every(periodMs, run) {
    const handle = letGo(setInterval(run, periodMs))
    return { stop: () => clearInterval(handle) }
  },
}

/** In Node a timer handle is an object that can be unreferenced; in a browser it is a number. */
function letGo<T>(handle: T): T {
  if (typeof handle === 'object') (handle as { unref?: () => void }).unref?.()
  return handle
}
