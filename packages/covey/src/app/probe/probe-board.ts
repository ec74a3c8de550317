/** What a probe says an application is doing. */
export type ProbeState = 'starting' | 'ready' | 'draining'

const states: readonly ProbeState[] = ['starting', 'ready', 'draining']

const beat = 0
const state = 1
const stall = 2
const cells = 3

/**
 * Memory that the thread of the application writes and the probe's thread reads, so that the one can be judged while it
 * does nothing.
 */
export class ProbeBoard {
  readonly shared: SharedArrayBuffer
  readonly #cells: Int32Array<SharedArrayBuffer>

  /** @param shared that of a board of another thread. Default: a new one, which says `starting` */
  constructor(shared: SharedArrayBuffer = new SharedArrayBuffer(cells * 4)) {
    this.shared = shared
    this.#cells = new Int32Array(shared)
  }

  /** A number that changes with each {@link beat}. */
  get beats(): number {
    return Atomics.load(this.#cells, beat)
  }

  /** The event loop turns. */
  beat(): void {
    Atomics.add(this.#cells, beat, 1)
  }

  get state(): ProbeState {
    return states[Atomics.load(this.#cells, state)]!
  }

  set state(now: ProbeState) {
    Atomics.store(this.#cells, state, states.indexOf(now))
  }

  /** Leaves word that the event loop has stood still for so long, in whole milliseconds. */
  leaveStall(ms: number): void {
    Atomics.store(this.#cells, stall, Math.max(1, Math.round(ms)))
  }

  /** Takes that word: milliseconds, 0 if there was none. */
  takeStall(): number {
    return Atomics.exchange(this.#cells, stall, 0)
  }
}
