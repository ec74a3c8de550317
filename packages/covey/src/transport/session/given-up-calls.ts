import type { Clock } from '../../base/clock.ts'
import type { RunningCall } from './running-call.ts'

/** A handler that goes on for longer than this, or twice as long, is counted no more, in milliseconds. */
const windowMs = 10_000

/**
 * Counts the calls of a connection that are over for their client while their handlers go on, because they take no notice, or have to
 * clean up. They keep their places among the calls in flight: or a client that gives up what it has opened would have any number of handlers
 * at work. But not for ever, for a handler that hangs must not take a place away for good.
 */
export class GivenUpCalls {
  readonly #clock: Clock
  /** Number of this window. */
  #window = 0
  /** Given up in this window, and in the one before it. */
  #now = 0
  #before = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Those counted when it was last looked. */
  get size(): number {
    return this.#now + this.#before
  }

  /** The call was given up while its handler ran. */
  add(running: RunningCall): void {
    this.#turn()
    running.givenUpIn = this.#window
    this.#now += 1
  }

  /** The handler of a call is done, whether the call was given up or not. */
  done({ givenUpIn }: RunningCall): void {
    if (givenUpIn === this.#window) this.#now -= 1
    else if (givenUpIn === this.#window - 1) this.#before -= 1
  }

  /** Those that count now. */
  recount(): number {
    this.#turn()
    return this.size
  }

  #turn(): void {
    const window = 1 + Math.floor(this.#clock.monotonicMs() / windowMs)
    if (window === this.#window) return
    this.#before = window === this.#window + 1 ? this.#now : 0
    this.#now = 0
    this.#window = window
  }
}
