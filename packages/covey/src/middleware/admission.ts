import type { Clock } from '../base/clock.ts'
import type { Call } from '../call/call.ts'
import { keepContext } from '../call/call-storage.ts'
import type { Handler, Middleware } from '../call/handler.ts'
import { CoveyError } from '../error/covey-error.ts'
import { BeginQuota, longTurnMs } from './begin-quota.ts'
import { WaitingCall, WaitingLine } from './waiting-line.ts'

/**
 * The time for which calls are begun in one turn of the event loop, in milliseconds. Long enough that the rest of a turn does
 * not count, short enough that health checks, pings and answers need not wait.
 */
const sliceMs = 20

/** Calls that wait are objects in memory; behind so many of them nobody waits. */
const maxWaiting = 20_000

/**
 * The part of a call's remaining time that it may spend waiting. The rest is for the call, and for what is not foreseen. With three
 * quarters, calls whose handlers wait for something before they use the processor come too late by the hundred (simulated).
 */
const waitingShare = 0.5

/** What admission needs. */
export interface AdmissionOptions {
  /** Id of the instance, for messages. */
  readonly instance: string
  /** The longest time that a call may wait to be begun, in milliseconds. */
  readonly maxWaitMs: number
  readonly clock: Clock
  /** Numbers in [0, 1), for lots. Default `Math.random`. */
  readonly random?: () => number
  /** Runs something at the end of this turn of the event loop. Default `setImmediate`. */
  readonly soon?: (run: () => void) => void
}

/** What admission has done. */
export interface AdmissionReport {
  /** Calls that wait to be begun now. */
  readonly waiting: number
  /** Calls that had to wait, those that wait now included. */
  readonly waited: number
  /** Calls that were refused. */
  readonly refused: number
  /** The longest time that a call has waited which was begun then, in milliseconds. */
  readonly maxWaitedMs: number
}

/**
 * Lets a process that is asked for more than it can do go on doing what it can. As long as turns of the event loop are short
 * calls are begun as they come. In a turn that has begun calls for `sliceMs` the further ones get in line, and in each turn
 * from then on a part of the line is begun, of all connections in turns. A call that would have to wait for longer than
 * `maxWaitMs`, or for half of the time it has left, is refused at once: so there is no queue in which calls grow too old.
 *
 * Handlers that only wait take no time of the loop, so they are never refused, however many there are. One slow turn lets
 * calls wait for its end, as they would anyway; what a call costs is learned from turns that follow.
 */
export class Admission {
  readonly #options: AdmissionOptions
  readonly #clock: Clock
  readonly #soon: (run: () => void) => void
  readonly #random: () => number
  readonly #line = new WaitingLine()
  readonly #quota = new BeginQuota()
  /** Until then calls are begun without any further question. */
  #directUntilMs = Number.NEGATIVE_INFINITY
  #lining = false
  /** Turns that are still to be measured; 0 while none is. */
  #turnsToWatch = 0
  /** Where none is measured: the end of the last one that was. */
  #turnStartMs = 0
  /** Of this turn: the time in which calls were begun, how many, and how many had ended before it. */
  #beginningMs = 0
  #begun = 0
  #endedBefore = 0
  /** Calls that were begun and have ended: one less for each that is not begun, as its end will be heard of as well. */
  #ended = 0
  /** Whether somebody was left in line when a part of it was begun last. */
  #leftInLine = false
  /** Whether answers to what was begun from the line leave at the end of this turn. */
  #answering = false
  /** Calls that got in line as the first of their connection since a part of it was begun, and how many wanted to. */
  #newcomers: WaitingCall[] = []
  #came = 0
  /** What is told to those who are refused, until the end of this turn. */
  #refusal: CoveyError | undefined
  #waited = 0
  #refused = 0
  #maxWaitedMs = 0

  constructor(options: AdmissionOptions) {
    this.#options = options
    this.#clock = options.clock
    this.#soon = options.soon ?? setImmediate
    this.#random = options.random ?? Math.random
  }

  report(): AdmissionReport {
    const { size: waiting } = this.#line
    const maxWaitedMs = Math.round(this.#maxWaitedMs)
    return { waiting, waited: this.#waited, refused: this.#refused, maxWaitedMs }
  }

  /** Begins a call by `next`, now or later. Rejects with `RESOURCE_EXHAUSTED`; the call was not begun then. */
  pass(call: Call, next: Handler): Promise<unknown> {
    const nowMs = this.#clock.monotonicMs()
    return nowMs < this.#directUntilMs ? next(call) : this.#look(call, next, nowMs)
  }

  /** Hears that a call has ended that came here, whether or not it was begun. */
  ended(call: Call): void {
    if (call.peer.protocol !== 'memory') this.#ended += 1
  }

  #look(call: Call, next: Handler, nowMs: number): Promise<unknown> {
    // What a process asks of itself was admitted with what it does that for.
    if (call.peer.protocol === 'memory') return next(call)
    if (this.#turnsToWatch === 0) this.#watch(nowMs)
    if (!this.#lining && this.#isLate(nowMs)) this.#lining = true
    if (this.#lining) return this.#getInLine(call, next, nowMs)
    this.#begun += 1
    const result = next(call)
    this.#beginningMs += this.#clock.monotonicMs() - nowMs
    return result
  }

  /** Measures this turn from here on, and the next one: with what comes before its first call, and without waiting in it. */
  #watch(nowMs: number): void {
    this.#turnsToWatch = 2
    this.#directUntilMs = Number.NEGATIVE_INFINITY
    this.#quota.rest(nowMs - this.#turnStartMs, this.#ended - this.#endedBefore, nowMs)
    this.#endedBefore = this.#ended
    this.#lining = this.#quota.limited
    this.#beginTurn(nowMs)
  }

  #beginTurn(nowMs: number): void {
    this.#turnStartMs = nowMs
    this.#beginningMs = 0
    this.#begun = 0
    this.#soon(() => this.#endTurn())
  }

  #isLate(nowMs: number): boolean {
    if (this.#begun >= this.#quota.calls || this.#beginningMs >= sliceMs) return true
    return nowMs - this.#turnStartMs >= longTurnMs
  }

  #endTurn(): void {
    const nowMs = this.#clock.monotonicMs()
    // Where it gets tight every turn is watched: in the next one there may be ten times as much to do.
    const tight = nowMs - this.#turnStartMs > sliceMs / 2
    this.#learn(nowMs)
    this.#refusal = undefined
    this.#turnsToWatch = tight ? 2 : this.#turnsToWatch - 1
    if (this.#line.size > 0 || this.#turnsToWatch > 0) {
      this.#beginTurn(nowMs)
      this.#beginSome(nowMs)
      return
    }
    this.#turnsToWatch = 0
    this.#turnStartMs = nowMs
    this.#lining = this.#quota.limited
    if (!this.#lining) this.#directUntilMs = nowMs + sliceMs
  }

  #learn(nowMs: number): void {
    const figures = {
      turnMs: nowMs - this.#turnStartMs,
      beginningMs: this.#beginningMs,
      begun: this.#begun,
      ended: Math.max(0, this.#ended - this.#endedBefore),
      wanted: this.#leftInLine,
    }
    this.#endedBefore = this.#ended
    this.#quota.learn(figures, nowMs)
    if (this.#quota.limited) this.#lining = true
  }

  #getInLine(call: Call, next: Handler, nowMs: number): Promise<unknown> {
    const line = this.#line
    const { connectionId } = call.peer
    const newcomer = !line.has(connectionId)
    if (newcomer) this.#came += 1
    const tooLong = this.#waitsTooLong(call, line.ahead(connectionId), nowMs)
    if (line.size >= maxWaiting || (tooLong && !(newcomer && this.#drawLot()))) {
      this.#countRefused()
      return Promise.reject(this.#toldNow())
    }
    this.#waited += 1
    const waiting = new WaitingCall(call, next, keepContext())
    line.push(waiting)
    if (newcomer) this.#newcomers.push(waiting)
    return waiting.outcome
  }

  /**
   * Where more connections have something to ask than can wait, all have the same chance: the event loop may read them in the
   * same order in each turn. Source: Vitter, "Random sampling with a reservoir" (1985), algorithm R.
   * @returns whether a place has become free
   */
  #drawLot(): boolean {
    const index = Math.floor(this.#random() * this.#came)
    const loser = this.#newcomers[index]
    if (loser === undefined || !this.#line.take(loser)) return false
    this.#newcomers.splice(index, 1)
    this.#turnAway(loser)
    return true
  }

  /** @param ahead how many are begun before it */
  #waitsTooLong(call: Call, ahead: number, nowMs: number): boolean {
    const leftMs = call.deadlineMs - nowMs
    const mayWaitMs = Math.min(this.#options.maxWaitMs, leftMs * waitingShare)
    return ahead * this.#quota.costMs > mayWaitMs
  }

  /** Begins a part of the line; not in the turn in which the answers of the last part leave. */
  #beginSome(startMs: number): void {
    const wasAnswering = this.#answering
    this.#answering = false
    if (wasAnswering || this.#line.size === 0) return
    this.#newcomers = []
    this.#came = 0
    this.#trim(startMs)
    const nowMs = this.#beginUntil(startMs + sliceMs, startMs)
    this.#quota.spend(this.#begun)
    this.#leftInLine = this.#line.size > 0
    this.#beginningMs += nowMs - startMs
    this.#answering = this.#begun > 0
    // So that what comes of them is measured, even if nobody waits any more.
    this.#turnsToWatch = 2
  }

  /** By what is known by now of what calls cost. */
  #trim(nowMs: number): void {
    const late = this.#line.trim((call, ahead) => this.#waitsTooLong(call, ahead, nowMs))
    for (const waiting of late) this.#turnAway(waiting)
  }

  /** @returns when it ended, in milliseconds */
  #beginUntil(endMs: number, startMs: number): number {
    const { calls, costMs } = this.#quota
    let nowMs = startMs
    while (this.#begun < calls && nowMs < endMs) {
      const waiting = this.#line.shift()
      if (waiting === undefined) break
      const { cancelled, deadlineMs } = waiting.call
      if (cancelled !== undefined) this.#giveUp(waiting, cancelled)
      else if (deadlineMs - nowMs <= costMs) this.#turnAway(waiting)
      else this.#begin(waiting, nowMs)
      nowMs = this.#clock.monotonicMs()
    }
    return nowMs
  }

  #begin(waiting: WaitingCall, nowMs: number): void {
    this.#begun += 1
    this.#maxWaitedMs = Math.max(this.#maxWaitedMs, nowMs - waiting.call.openedMs)
    waiting.begin()
  }

  #turnAway(waiting: WaitingCall): void {
    this.#countRefused()
    waiting.refuse(this.#toldNow())
  }

  #countRefused(): void {
    this.#refused += 1
    this.#ended -= 1
  }

  #giveUp(waiting: WaitingCall, reason: CoveyError): void {
    this.#ended -= 1
    waiting.refuse(reason)
  }

  /** One error for all of a turn: to make one takes longer than all the rest of a refusal. */
  #toldNow(): CoveyError {
    this.#refusal ??= overloaded(this.#options.instance, this.#line.size, this.#quota.costMs)
    return this.#refusal
  }
}

function overloaded(instance: string, waiting: number, costMs: number): CoveyError {
  const lateMs = Math.round(waiting * costMs)
  const message = `instance ${instance} is overloaded: ${waiting} calls wait to be begun, for ${lateMs} ms; this one was not run`
  // Those who come back at once would find the same.
  const details = { rule: 'admission', waiting, lateMs, retryAfterMs: Math.max(sliceMs, lateMs) }
  return new CoveyError('RESOURCE_EXHAUSTED', message, { details })
}

/** Begins the calls of a method when `gate` lets them. */
export function admission(gate: Admission): Middleware {
  return (next) => (call) => gate.pass(call, next)
}
