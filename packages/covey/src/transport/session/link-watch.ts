import type { Clock } from '../../base/clock.ts'
import { sharedTickWheel, type Ticking, type TickWheel } from '../../base/tick-wheel.ts'
import { CoveyError } from '../../error/covey-error.ts'
import type { Limits } from '../limits.ts'

/** A process that is held up for longer than this has things to read that came long ago, in milliseconds. */
const heldUpMs = 100

/** An idle peer is asked after this part of the time for it at the earliest, and after all of it at the latest. */
const earliestPart = 0.75

/** A whole number of them, which V8 keeps without a box. */
const jitters = 1 << 20

/** Nobody was asked anything. */
const never = -1

/** A connection as its watch sees it. */
export interface Watched {
  /** Whether the peer may have something to say: calls are in flight. */
  readonly busy: boolean
  /** Whether this end does not read now, so that silence means nothing. */
  readonly held: boolean
  /** Whether the system tells in time that the peer's machine, or the way to it, is gone. */
  readonly guarded: boolean
  /** Silence, half of it behind a ping, after which the peer is said to stand still; `Infinity` where nobody cares. */
  readonly stallMs: number
  ping(): void
  /** Looks after what else takes time. @returns whether it is to be looked after again soon */
  look(nowMs: number): boolean
  fail(reason: CoveyError): void
  /** The peer stands still, or was heard again. */
  onStalled(): void
}

/**
 * Notices that a peer is gone or stands still, and costs nothing where nothing happens. It is awake while there is something
 * to expect: calls are in flight, something was sent and nothing was heard since, a ping has no answer. Then silence
 * is asked about and judged. Otherwise it sleeps, and asks a long time later if the system guards the connection, and at the
 * pace of `pingMs` if it does not.
 */
export class LinkWatch implements Ticking {
  slot = -1
  next: Ticking | undefined
  previous: Ticking | undefined
  readonly #link: Watched
  readonly #limits: Limits
  readonly #clock: Clock
  readonly #wheel: TickWheel
  #state: 'greeting' | 'awake' | 'asleep' | 'stopped' = 'greeting'
  /** From when silence counts: bytes came, or something woke it. */
  #heardMs: number
  /** When the peer was asked about its silence; `never` since it was heard. */
  #askedMs = never
  /**
   * Something was sent since bytes came, so the system may be repeating it, and guards nothing until it gets through. Pongs do
   * not count: two ends would ask each other for ever.
   */
  #unconfirmed = false
  #stalled = false
  /** From 0 to `jitters`: which of its neighbours it is asked with. */
  readonly #jitter: number

  constructor(link: Watched, limits: Limits, clock: Clock) {
    this.#link = link
    this.#limits = limits
    this.#clock = clock
    this.#wheel = sharedTickWheel(clock)
    this.#jitter = Math.floor(this.#wheel.jitter() * jitters)
    this.#heardMs = clock.monotonicMs()
  }

  /** Whether the peer stands still. */
  get stalled(): boolean {
    return this.#stalled
  }

  /** For how long it has been silent then, in milliseconds. */
  get stalledMs(): number | undefined {
    return this.#stalled ? this.#clock.monotonicMs() - this.#heardMs : undefined
  }

  /** The handshake, which has a limit of its own, is done. */
  established(): void {
    this.#heardMs = this.#clock.monotonicMs()
    this.#wake()
  }

  /** Bytes came. */
  heard(nowMs: number): void {
    this.#heardMs = nowMs
    this.#askedMs = never
    this.#unconfirmed = false
    if (this.#state !== 'awake') this.#rouse()
    if (this.#stalled) this.#setStalled(false)
  }

  /** Something else than a pong was sent. Once a turn is enough. */
  sent(): void {
    this.#unconfirmed = true
    if (this.#state === 'awake') return
    if (this.#state === 'asleep' && this.#link.guarded) this.#heardMs = this.#clock.monotonicMs()
    this.#rouse()
  }

  /** This end reads again: silence counts from here. */
  resumed(): void {
    this.#heardMs = this.#clock.monotonicMs()
    if (this.#askedMs !== never) this.#askedMs = this.#heardMs
  }

  stop(): void {
    this.#state = 'stopped'
    this.#wheel.remove(this)
  }

  tick(lateMs: number): void {
    const nowMs = this.#clock.monotonicMs()
    if (this.#state === 'asleep') return this.#askIdle(nowMs)
    if (lateMs > heldUpMs) this.#forgive(lateMs, nowMs)
    const more = this.#link.look(nowMs)
    // It may be closed by now.
    const state = this.#state as string
    const expects = state === 'awake' && this.#expects(nowMs)
    if (expects || (more && state !== 'stopped')) this.#wheel.schedule(this, this.#tickMs)
    else if (state === 'awake') this.#sleep(nowMs)
  }

  get #tickMs(): number {
    return Math.min(this.#limits.pingMs / 4, this.#link.stallMs / 16)
  }

  get #idleMs(): number {
    return this.#link.guarded ? this.#limits.idlePingMs : this.#limits.pingMs
  }

  #rouse(): void {
    if (this.#state === 'asleep') this.#wake()
    // A handshake may have half a frame, or what its peer does not take.
    else if (this.#state === 'greeting' && this.slot < 0) this.#wheel.schedule(this, this.#tickMs)
  }

  #wake(): void {
    this.#state = 'awake'
    this.#wheel.schedule(this, this.#tickMs)
  }

  #sleep(nowMs: number): void {
    this.#state = 'asleep'
    this.#wheel.schedule(this, Math.max(0, this.#idleLeftMs(nowMs)))
  }

  #askIdle(nowMs: number): void {
    // The wheel wakes earlier than it was asked to, if that is far ahead.
    if (this.#idleLeftMs(nowMs) > 0) this.#sleep(nowMs)
    else this.#ask()
  }

  #idleLeftMs(nowMs: number): number {
    const part = earliestPart + ((1 - earliestPart) * this.#jitter) / jitters
    return part * this.#idleMs - (nowMs - this.#heardMs)
  }

  /** While this process stood still nothing was read, so nobody was silent. */
  #forgive(lateMs: number, nowMs: number): void {
    this.#heardMs = Math.min(nowMs, this.#heardMs + lateMs)
    if (this.#askedMs !== never) this.#askedMs = Math.min(nowMs, this.#askedMs + lateMs)
  }

  /** Whether something is to be heard; asks or judges if nothing was for too long. */
  #expects(nowMs: number): boolean {
    const asked = this.#askedMs !== never
    if (!asked && !this.#unconfirmed && !this.#link.busy) return false
    const { pingMs } = this.#limits
    const silenceMs = this.#silenceMs(nowMs)
    if (asked && this.#judgement(nowMs) !== 'fine') {
      // What has arrived while this process was held up is read first.
      this.#clock.after(0, () => this.#judge())
    } else if (!asked && silenceMs >= Math.min(pingMs, this.#link.stallMs / 2)) this.#ask()
    return true
  }

  #ask(): void {
    this.#askedMs = this.#clock.monotonicMs()
    this.#link.ping()
  }

  #judgement(nowMs: number): 'fine' | 'stalled' | 'gone' {
    if (this.#askedMs === never || this.#link.held) return 'fine'
    if (this.#silenceMs(nowMs) >= this.#limits.silenceMs) return 'gone'
    const stalled = !this.#stalled && nowMs - this.#askedMs >= this.#link.stallMs / 2
    return stalled ? 'stalled' : 'fine'
  }

  #judge(): void {
    if (this.#state === 'stopped') return
    const nowMs = this.#clock.monotonicMs()
    const judgement = this.#judgement(nowMs)
    if (judgement === 'stalled') this.#setStalled(true)
    if (judgement !== 'gone') return
    const message = `nothing heard for ${Math.round(this.#silenceMs(nowMs))} ms`
    this.#link.fail(new CoveyError('CONNECTION_LOST', message))
  }

  #silenceMs(nowMs: number): number {
    return this.#link.held ? 0 : nowMs - this.#heardMs
  }

  #setStalled(stalled: boolean): void {
    this.#stalled = stalled
    this.#link.onStalled()
  }
}
