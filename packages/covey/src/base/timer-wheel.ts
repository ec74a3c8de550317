import type { Clock, Timer } from './clock.ts'

/**
 * Something that falls due. Made by `TimerWheel.add`. A class because of what V8 does to literals that mostly survive the
 * first collections of a process: see `PendingCall`.
 */
export class WheelEntry {
  readonly atMs: number
  readonly run: () => void
  next: WheelEntry | undefined
  previous: WheelEntry | undefined
  slot: number

  constructor(atMs: number, run: () => void, next: WheelEntry | undefined, slot: number) {
    this.atMs = atMs
    this.run = run
    this.next = next
    this.previous = undefined
    this.slot = slot
  }
}

const tickMs = 10
const slots = 512
/** A turn that comes so late finds a process that was held up, with answers unread. */
const heldUpMs = 100

/**
 * Many deadlines for the price of one timer: adding and removing take a few assignments, where a timer each
 * would cost more than the call it guards. Entries run up to 10 ms late, never early.
 * Source: Varghese and Lauck, "Hashed and Hierarchical Timing Wheels" (1987), scheme 6.
 */
export class TimerWheel {
  readonly #clock: Clock
  readonly #heads: (WheelEntry | undefined)[] = new Array(slots).fill(undefined)
  #size = 0
  #timer: Timer | undefined
  #doneTick = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Entries that wait. */
  get size(): number {
    return this.#size
  }

  /** Runs `run` at `atMs` of the clock's monotonic time. */
  add(atMs: number, run: () => void): WheelEntry {
    if (this.#timer === undefined) this.#start()
    const tick = Math.max(Math.ceil(atMs / tickMs), this.#doneTick + 1)
    const slot = tick % slots
    const head = this.#heads[slot]
    const entry = new WheelEntry(atMs, run, head, slot)
    if (head !== undefined) head.previous = entry
    this.#heads[slot] = entry
    this.#size += 1
    return entry
  }

  /** Takes an entry back. Harmless when it has run. */
  remove(entry: WheelEntry): void {
    if (entry.slot < 0) return
    if (entry.previous !== undefined) entry.previous.next = entry.next
    else this.#heads[entry.slot] = entry.next
    if (entry.next !== undefined) entry.next.previous = entry.previous
    entry.slot = -1
    // An entry that is used up but not collected yet must not keep its neighbours: they would grow old with it, and theirs
    // with them, until all calls live as long as the next full collection.
    entry.next = entry.previous = undefined
    this.#size -= 1
  }

  #start(): void {
    this.#doneTick = Math.floor(this.#clock.monotonicMs() / tickMs)
    this.#timer = this.#clock.every(tickMs, () => this.#turn())
  }

  #turn(): void {
    const lateMs = this.#clock.monotonicMs() - (this.#doneTick + 1) * tickMs
    // The sockets first: a deadline that is over may have its answer there.
    if (lateMs > heldUpMs) this.#clock.after(0, () => this.#runDue())
    else this.#runDue()
  }

  #runDue(): void {
    const now = this.#clock.monotonicMs()
    const nowTick = Math.floor(now / tickMs)
    const first = Math.max(this.#doneTick + 1, nowTick - slots + 1)
    this.#doneTick = nowTick
    let tick = first
    try {
      for (; tick <= nowTick; tick++) this.#runSlot(tick % slots, now)
    } finally {
      // Where one threw, those behind it come with the next turn.
      if (tick <= nowTick) this.#doneTick = tick - 1
      if (this.#size === 0) {
        this.#timer?.stop()
        this.#timer = undefined
      }
    }
  }

  #runSlot(slot: number, now: number): void {
    const due: WheelEntry[] = []
    for (let entry = this.#heads[slot]; entry !== undefined; entry = entry.next) {
      if (entry.atMs <= now) due.push(entry)
    }
    for (const entry of due) {
      // One that ran before it may have removed it.
      if (entry.slot < 0) continue
      this.remove(entry)
      entry.run()
    }
  }
}
