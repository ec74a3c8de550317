import { type Backoff, createBackoff } from '../base/backoff.ts'
import type { Call } from '../call/call.ts'
import type { Handler } from '../call/handler.ts'
import { InputSource } from '../call/input-source.ts'
import { givesStream } from '../call/method-ref.ts'
import { codeEntry } from '../error/codes.ts'
import { CoveyError } from '../error/covey-error.ts'
import { attemptsOf, retryAfterMs } from '../error/retry-hints.ts'
import type { RetryBudget } from './retry-budget.ts'
import type { RetryPolicy } from './retry-policy.ts'

/** What repeats the calls of a client. */
export interface RetryOptions {
  readonly policy: RetryPolicy
  readonly budget: RetryBudget
  /** Numbers in [0, 1) for pauses. */
  readonly random: () => number
  /** Whether an instance that neither this attempt nor one before it went to could take the call now. */
  hasOther(attempt: Call): boolean
}

/** Why a call is not sent again, as `details.gaveUp` tells it. */
type Reason = 'attempts' | 'budget' | 'time' | 'nobody' | 'asked' | 'below' | 'underneath'

/**
 * The account of one call whose attempts fail: whether it is sent again, when, and what its caller is told in the end. Made at the
 * first failure, so that calls that succeed cost nothing.
 *
 * | an attempt | is repeated | how |
 * |---|---|---|
 * | never left this process, or met an instance that drains | elsewhere at once | without the budget: it cost nobody anything |
 * | was refused by its instance without being run | elsewhere at once, or where it says so when it says so | from the budget |
 * | may have run, and the method is idempotent | after a pause, elsewhere where there is an elsewhere | from the budget |
 */
export class Attempts {
  readonly #call: Call
  readonly #options: RetryOptions
  readonly #max: number
  readonly #backoff: Backoff
  readonly #errors: CoveyError[] = []
  #last: Call | undefined
  /** Begun, or about to be. */
  #made = 1
  /** Those of them that others had work with. */
  #costly = 0
  /** Why the call may have run. */
  #mayHaveRun: CoveyError | undefined

  /**
   * @param max how often it is sent at most
   * @param first the first attempt if it was made already
   */
  constructor(call: Call, max: number, options: RetryOptions, first?: Call) {
    const { baseMs, maxMs } = options.policy
    this.#call = call
    this.#options = options
    this.#max = max
    this.#backoff = createBackoff({ baseMs, maxMs, random: options.random })
    this.#last = first
  }

  /** The attempt that was begun last. */
  get last(): Call {
    return this.#last!
  }

  /** Begins the first attempt, or the one that was allowed last. */
  next(): Call {
    this.#last = this.#call.again(this.#last, this.#call.attempt + this.#costly)
    return this.#last
  }

  /** Whether another attempt may bring another answer than this error. */
  repeatable(error: CoveyError): boolean {
    const { input, method, cancelled } = this.#call
    if (cancelled !== undefined || !error.retryable(method.idempotent)) return false
    return !(input instanceof InputSource && input.started)
  }

  /** Whether an attempt may be made beside those that are on their way; it counts as one that others have work with then. */
  beside(): boolean {
    const { budget, hasOther } = this.#options
    const allowed = this.#made < this.#max && this.#call.attempt === 1 && hasOther(this.#last!)
    if (!allowed || !budget.take()) return false
    this.#made += 1
    this.#costly += 1
    return true
  }

  /**
   * What follows a failed attempt.
   * @returns milliseconds to wait before the next one
   * @throws what the caller is told, if there is to be none
   */
  afterFailure(attempt: Call, thrown: unknown): number {
    const error = CoveyError.from(thrown)
    this.#errors.push(error)
    if (!wasNotRun(error, attempt)) this.#mayHaveRun = error
    if (!this.repeatable(error)) throw this.#answer(error, attempt, thrown)
    const decision = this.#decide(error, attempt)
    if (typeof decision === 'number') return decision
    throw this.#giveUp(error, decision)
  }

  #decide(error: CoveyError, attempt: Call): number | Reason {
    const { budget, hasOther } = this.#options
    const askedMs = retryAfterMs(error)
    if (attempt.sentTo === undefined) return 'nobody'
    if (attemptsOf(error) !== undefined) return 'below'
    if (askedMs !== undefined && askedMs < 0) return 'asked'
    if (this.#made >= this.#max) return 'attempts'
    const notRun = wasNotRun(error, attempt)
    const other = hasOther(this.#last!)
    const costly = !notRun || (error.remote && error.code !== 'DRAINING')
    // Where it was refused it would be refused again, unless that is a matter of time.
    const passing = error.code === 'RESOURCE_EXHAUSTED' || askedMs !== undefined
    if (notRun && !other && !(costly && passing)) return 'nobody'
    if (costly && this.#call.attempt > 1) return 'underneath'
    const delayMs = this.#delayMs(askedMs, notRun && other)
    if (delayMs > 0 && delayMs >= this.#call.remainingMs()) return 'time'
    if (costly && !budget.take()) return 'budget'
    if (costly) this.#costly += 1
    this.#made += 1
    return delayMs
  }

  #delayMs(askedMs: number | undefined, elsewhere: boolean): number {
    if (askedMs !== undefined && askedMs <= 0) return 0
    // Those who were refused together must not come back together.
    if (askedMs !== undefined) return askedMs + this.#backoff.next()
    return elsewhere ? 0 : this.#backoff.next()
  }

  /** An answer passes as it is; but "was not run" is untrue where an attempt before may have run. */
  #answer(error: CoveyError, attempt: Call, thrown: unknown): unknown {
    if (this.#mayHaveRun === undefined || !wasNotRun(error, attempt)) return thrown
    return this.#call.cancelled ?? this.#mayHaveRun
  }

  #giveUp(error: CoveyError, reason: Reason): CoveyError {
    const told = this.#mayHaveRun ?? error
    if (this.#made === 1 && reason !== 'budget') return told
    const { details } = told
    const attempts = this.#made
    const cause =
      this.#errors.length === 1
        ? told
        : new AggregateError(this.#errors, `${attempts} attempts failed`)
    return new CoveyError(told.code, `${told.message}; ${this.#explain(reason)}`, {
      details: isPlain(details) ? { ...details, attempts, gaveUp: reason } : details,
      cause,
    })
  }

  #explain(reason: Reason): string {
    const made = `gave up after ${this.#made} attempt${this.#made === 1 ? '' : 's'}`
    const { service } = this.#call.method
    switch (reason) {
      case 'budget':
        return `${made}, for ${this.#options.budget.describe(service)}`
      case 'time':
        return `${made}, for its time would be over before the next one`
      case 'nobody':
        return `${made}, for nobody else is there to take it`
      default:
        return made
    }
  }
}

/** Sends an attempt, which is cancelled with the call it belongs to; a stream also when its promise has settled. */
export async function sendAttempt(call: Call, attempt: Call, next: Handler): Promise<unknown> {
  const cancel = (reason: CoveyError) => attempt.cancel(reason)
  call.onCancel(cancel)
  let open = false
  try {
    const result = await next(attempt)
    open = givesStream(call.method.kind)
    return result
  } finally {
    if (!open) call.offCancel(cancel)
  }
}

/** An error of a call that nobody was there to take may have any code, but it was not run. */
function wasNotRun(error: CoveyError, attempt: Call): boolean {
  return attempt.sentTo === undefined || codeEntry(error.code).retry === 'always'
}

function isPlain(details: unknown): details is object | undefined {
  return details === undefined || (typeof details === 'object' && !Array.isArray(details))
}
