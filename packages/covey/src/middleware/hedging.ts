import type { Timer } from '../base/clock.ts'
import { holdProcess } from '../base/hold-process.ts'
import type { Call } from '../call/call.ts'
import type { Handler, Middleware } from '../call/handler.ts'
import { canHedge, type Hedge } from '../call/repetition.ts'
import { CoveyError } from '../error/covey-error.ts'
import { Attempts, type RetryOptions, sendAttempt } from './attempts.ts'

/**
 * Sends calls that ask for it to another instance as well when the first one takes long, and takes the first answer; those that
 * are still on their way then are cancelled. A failure that may be repeated brings the next attempt as `retry` does, from
 * the same account of attempts and the same budget, and as often as calls without hedging are sent; any other one is the answer. Only
 * idempotent unary calls are hedged.
 * Source: gRPC's hedging policy, which cancels, counts and throttles in the same way.
 */
export function hedging(options: RetryOptions): Middleware {
  return (next) => (call) => {
    const hedge = call.repetition?.hedge
    if (hedge === undefined || call.mode !== 'wait' || !canHedge(call.method)) return next(call)
    return new HedgedCall(call, hedge, next, options).result
  }
}

/** A call of which several attempts may be on their way. */
class HedgedCall {
  readonly result: Promise<unknown>
  readonly #call: Call
  readonly #hedge: Hedge
  readonly #next: Handler
  readonly #attempts: Attempts
  readonly #settled = Promise.withResolvers<unknown>()
  /** On their way. */
  readonly #open = new Set<Call>()
  readonly #timers = new Set<Timer>()
  /** Attempts that begin in a while, behind one that failed; nothing else may keep the process then. */
  #coming = 0
  #release: (() => void) | undefined
  readonly #onCancel = (reason: CoveyError) => this.#end(() => this.#settled.reject(reason))
  #over = false

  constructor(call: Call, hedge: Hedge, next: Handler, options: RetryOptions) {
    const usual = call.repetition?.maxAttempts ?? options.policy.attempts
    this.#call = call
    this.#hedge = hedge
    this.#next = next
    const most = Math.max(usual, hedge.attempts)
    this.#attempts = new Attempts(call, usual, options, undefined, most)
    this.result = this.#settled.promise
    call.onCancel(this.#onCancel)
    if (!this.#over) this.#send()
  }

  /** @param number of the attempt, as it says */
  #send(number?: number): void {
    const attempt = this.#attempts.next(number)
    this.#open.add(attempt)
    sendAttempt(this.#call, attempt, this.#next).then(
      (value) => {
        this.#open.delete(attempt)
        this.#end(() => this.#settled.resolve(value))
      },
      (error) => this.#onFailure(attempt, error),
    )
    if (this.#open.size < this.#hedge.attempts) {
      this.#later(this.#hedge.afterMs, () => this.#beside())
    }
  }

  #beside(): void {
    const { size } = this.#open
    const number = size > 0 && size < this.#hedge.attempts ? this.#attempts.beside() : undefined
    if (number !== undefined) this.#send(number)
  }

  #onFailure(attempt: Call, thrown: unknown): void {
    this.#open.delete(attempt)
    if (this.#over) return
    try {
      const { waitMs, number } = this.#attempts.afterFailure(attempt, thrown)
      this.#coming += 1
      this.#release ??= holdProcess()
      this.#later(waitMs, () => {
        this.#coming -= 1
        if (this.#coming === 0) this.#letGo()
        this.#send(number)
      })
    } catch (told) {
      // One that is still on its way may bring an answer where this one brought none.
      const answer = !this.#attempts.repeatable(CoveyError.from(thrown))
      if (answer || this.#open.size + this.#coming === 0) {
        this.#end(() => this.#settled.reject(told))
      }
    }
  }

  #later(ms: number, run: () => void): void {
    if (ms <= 0) return run()
    const timer = this.#call.clock.after(ms, () => {
      this.#timers.delete(timer)
      run()
    })
    this.#timers.add(timer)
  }

  #letGo(): void {
    this.#release?.()
    this.#release = undefined
  }

  #end(settle: () => void): void {
    if (this.#over) return
    this.#over = true
    this.#letGo()
    this.#call.offCancel(this.#onCancel)
    for (const timer of this.#timers) timer.stop()
    if (this.#open.size > 0) {
      const answered = new CoveyError('CANCELLED', 'another attempt has answered')
      for (const attempt of this.#open) attempt.cancel(this.#call.cancelled ?? answered)
    }
    settle()
  }
}
