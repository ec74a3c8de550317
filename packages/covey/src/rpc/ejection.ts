import type { Clock, Timer } from '../base/clock.ts'

/** Answers, one after the other, that show that an instance is well: of one that fails a fifth of its calls 1 of 10 gets so far. */
const wantedAnswers = 10

/** The least time between two calls that try it, in milliseconds, so that they are a small part of all calls. */
const probeEveryMs = 100

/** How long an instance is left out, and how it is tried again. */
export interface EjectionTimes {
  readonly clock: Clock
  /** The next call may try it. */
  onDue(): void
  /** It has shown that it is well. */
  onWell(): void
  /** A call that tried it failed. */
  onFault(): void
}

type State =
  /** It takes calls like others. */
  | { readonly is: 'over' }
  /** Until then no call tries it. */
  | { readonly is: 'out'; readonly untilMs: number; readonly timer: Timer }
  /** The next call that fits tries it. */
  | { readonly is: 'due' }
  /** A call tries it now. */
  | { readonly is: 'asked' }
  /** One has, and the next one waits a little. */
  | { readonly is: 'pause'; readonly timer: Timer }

/** Of one instance: whether it is left out because its calls failed, until when, and how it does while it is tried again. */
export class Ejection {
  /** Why, for people. */
  why = ''
  /** How often it was left out; each time that it is well for `baseMs` makes one less. */
  times = 0
  /** When it ended. */
  overMs = 0
  /** Whether its connection was gone meanwhile. */
  wasGone = false
  #state: State = { is: 'over' }
  #answers = 0
  readonly #times: EjectionTimes

  constructor(times: EjectionTimes) {
    this.#times = times
  }

  /** Whether it is left out, or tried. */
  get active(): boolean {
    return this.#state.is !== 'over'
  }

  /** Whether the next call may try it. */
  get due(): boolean {
    return this.#state.is === 'due'
  }

  /** Leaves it out for so long. */
  begin(ms: number): void {
    this.#stop()
    const { clock } = this.#times
    const timer = clock.after(ms, () => this.tryNow())
    this.#state = { is: 'out', untilMs: clock.monotonicMs() + ms, timer }
    this.#answers = 0
  }

  /** The next call tries it. */
  tryNow(): void {
    this.#stop()
    this.#state = { is: 'due' }
    this.#times.onDue()
  }

  /** A call that tries it is sent now. */
  ask(): void {
    this.#state = { is: 'asked' }
  }

  /** A call that it was sent was answered. Only what it does when it is tried counts. */
  answered(): void {
    if (this.#state.is !== 'asked') return
    this.#answers += 1
    if (this.#answers >= wantedAnswers) return this.#times.onWell()
    this.#state = {
      is: 'pause',
      timer: this.#times.clock.after(probeEveryMs, () => this.tryNow()),
    }
  }

  /** A call that it was sent failed. */
  failed(): void {
    if (this.#state.is === 'asked') this.#times.onFault()
  }

  /** What became of the call that tried it says nothing. */
  unknown(): void {
    if (this.#state.is === 'asked') this.tryNow()
  }

  /** It takes calls like others again. */
  end(): void {
    this.#stop()
    this.#state = { is: 'over' }
    this.overMs = this.#times.clock.monotonicMs()
  }

  /** For people. */
  describe(): string {
    const state = this.#state
    if (state.is !== 'out') return `ejected: ${this.why}; being tried`
    const leftMs = Math.max(0, Math.round(state.untilMs - this.#times.clock.monotonicMs()))
    return `ejected: ${this.why}; tried again in ${leftMs} ms`
  }

  #stop(): void {
    if (this.#state.is === 'out' || this.#state.is === 'pause') this.#state.timer.stop()
  }
}
