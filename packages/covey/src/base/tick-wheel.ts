import type { Clock, Timer } from './clock.ts'

/** Something that is looked after now and then. `slot`, `next` and `previous` are its place, which only the wheel touches. */
export interface Ticking {
  /** −1 while it is in no wheel. */
  slot: number
  next: Ticking | undefined
  previous: Ticking | undefined
  /** @param lateMs for how long this process was held up: how late the timer of the wheel came */
  tick(lateMs: number): void
}

/** What is due within this time is looked after in one turn, in milliseconds: of 10,000 each 25 seconds it is 8. */
const slotMs = 20
const slots = 1024
/** Behind the slots there is one more, for what is due now. */
const due = slots
/** The longest time ahead, in milliseconds: 20 seconds. */
const mostMs = slotMs * (slots - 1)

/** Lehmer's random numbers, with the factor of Park and Miller: "Another test for randomness" (CACM, 1993). */
const lehmerFactor = 48_271
const lehmerModulus = 2 ** 31 - 1

/**
 * Looks after many things, each at a time of its own, with one timer, which runs only when something is due: a thousand idle
 * connections wake a process no more often than they need. Members are their own list entries, so that being in the
 * wheel costs no memory.
 */
export class TickWheel {
  readonly #clock: Clock
  readonly #heads: (Ticking | undefined)[] = new Array(slots + 1).fill(undefined)
  #size = 0
  /** Slots up to this one, counted from the start of the clock, are over. */
  #done = 0
  #timer: Timer | undefined
  /** When the timer runs, in slots. */
  #armed = 0
  #turning = false
  #seed = 1

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Members that wait. */
  get size(): number {
    return this.#size
  }

  /**
   * Ticks a member once, after `delayMs` or up to 20 ms later; if that is more than 20 s, after half of it or 20 s, so that those
   * with different times do not meet. A member has one time: the last that was asked for counts.
   */
  schedule(member: Ticking, delayMs: number): void {
    this.remove(member)
    const nowMs = this.#clock.monotonicMs()
    if (this.#size === 0) this.#done = Math.floor(nowMs / slotMs)
    const aheadMs = delayMs > mostMs ? Math.min(delayMs / 2, mostMs) : delayMs
    const at = Math.ceil((nowMs + aheadMs) / slotMs)
    const slot = Math.min(Math.max(at, this.#done + 1), this.#done + slots - 1)
    this.#put(member, slot % slots)
    // A turn sets the timer at its end.
    if (!this.#turning && (this.#timer === undefined || slot < this.#armed)) this.#arm(slot, nowMs)
  }

  /** Takes a member out. Harmless if it is not in. */
  remove(member: Ticking): void {
    const { slot, next, previous } = member
    if (slot < 0) return
    if (previous === undefined) this.#heads[slot] = next
    else previous.next = next
    if (next !== undefined) next.previous = previous
    member.slot = -1
    member.next = member.previous = undefined
    this.#size -= 1
    if (this.#size > 0) return
    this.#timer?.stop()
    this.#timer = undefined
  }

  /** A number in (0, 1) that looks random: for things that begin at once and must not be due at once. */
  jitter(): number {
    this.#seed = (this.#seed * lehmerFactor) % lehmerModulus
    return this.#seed / lehmerModulus
  }

  #put(member: Ticking, slot: number): void {
    const head = this.#heads[slot]
    if (head !== undefined) head.previous = member
    member.slot = slot
    member.next = head
    this.#heads[slot] = member
    this.#size += 1
  }

  #arm(slot: number, nowMs: number): void {
    this.#timer?.stop()
    this.#armed = slot
    const delayMs = Math.max(0, Math.ceil(slot * slotMs - nowMs))
    this.#timer = this.#clock.after(delayMs, () => this.#turn())
  }

  #turn(): void {
    this.#timer = undefined
    const nowMs = this.#clock.monotonicMs()
    const lateMs = Math.max(0, nowMs - this.#armed * slotMs)
    const now = Math.floor(nowMs / slotMs)
    const first = Math.max(this.#done + 1, now - slots + 1)
    // All that is due is taken out first: what its ticks schedule may fall into the same slots, for later.
    for (let slot = first; slot <= now; slot++) this.#move(slot % slots, due)
    this.#done = Math.max(this.#done, now)
    this.#turning = true
    try {
      this.#tickDue(lateMs)
    } finally {
      this.#turning = false
      // Where one threw, those behind it come with the next slot.
      if (this.#heads[due] !== undefined) this.#move(due, (this.#done + 1) % slots)
      this.#armNext()
    }
  }

  #tickDue(lateMs: number): void {
    for (let member = this.#heads[due]; member !== undefined; member = this.#heads[due]) {
      this.remove(member)
      member.tick(lateMs)
    }
  }

  #move(from: number, to: number): void {
    for (let member = this.#heads[from]; member !== undefined; member = this.#heads[from]) {
      this.remove(member)
      this.#put(member, to)
    }
  }

  #armNext(): void {
    if (this.#size === 0) return
    let slot = this.#done + 1
    while (this.#heads[slot % slots] === undefined) slot += 1
    this.#arm(slot, this.#clock.monotonicMs())
  }
}

const wheels = new WeakMap<Clock, TickWheel>()

/** The one that all share who go by the same clock. */
export function sharedTickWheel(clock: Clock): TickWheel {
  const known = wheels.get(clock)
  if (known !== undefined) return known
  const wheel = new TickWheel(clock)
  wheels.set(clock, wheel)
  return wheel
}
