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

/** The longest that a call waits because it was asked to, in milliseconds; many have no deadline. */
const longestWaitMs = 60_000

/** What repeats the calls of a client. */
export interface RetryOptions {
  readonly policy: RetryPolicy
  readonly budget: RetryBudget
  /** Numbers in [0, 1) for pauses. */
  readonly random: () => number
  /** Whether an instance that neither this attempt nor one before it went to could take the call now. */
  hasOther(attempt: Call): boolean
}

/** What follows an attempt that failed. */
export interface NextAttempt {
  /** Milliseconds to wait before it. */
  readonly waitMs: number
  /** What it says of itself: one more than all before it, or where the failed one cost nobody anything, the same. */
  readonly number: number
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
 * | was refused by its instance without being run | elsewhere at once, or there when it says so | from the budget |
 * | may have run, and the method is idempotent | after a pause, elsewhere where there is an elsewhere | from the budget |
 */
export class Attempts {
  readonly #call: Call
  readonly #options: RetryOptions
  readonly #max: number
  readonly #maxBeside: number
  readonly #backoff: Backoff
  readonly #errors: CoveyError[] = []
  #last: Call | undefined
  /** Begun, or about to be. */
  #made = 1
  /** The highest number that one of them says of itself. */
  #highest: number
  /** Why the call may have run. */
  #mayHaveRun: CoveyError | undefined

  /**
   * @param max how often it is sent at most where attempts fail
   * @param first the first attempt if it was made already
   * @param maxBeside how often it is sent at most with those beside the first one
   */
  constructor(
    call: Call,
    max: number,
    options: RetryOptions,
    first?: Call,
    maxBeside: number = max,
  ) {
    const { baseMs, maxMs } = options.policy
    this.#call = call
    this.#options = options
    this.#max = max
    this.#maxBeside = maxBeside
    this.#backoff = createBackoff({ baseMs, maxMs, random: options.random })
    this.#last = first
    this.#highest = call.attempt
  }

  /** The attempt that was begun last. */
  get last(): Call {
    return this.#last!
  }

  /** An attempt that may be made. @param number what it says of itself */
  next(number = this.#call.attempt): Call {
    this.#last = this.#call.again(this.#last, number)
    return this.#last
  }

  /** Whether another attempt may bring another answer than this error. */
  repeatable(error: CoveyError): boolean {
    const { input, method, cancelled } = this.#call
    if (cancelled !== undefined || !error.retryable(method.idempotent)) return false
    return !(input instanceof InputSource && input.started)
  }

  /** The number of an attempt beside those that are on their way; undefined if there must be none. */
  beside(): number | undefined {
    const { budget, hasOther } = this.#options
    if (this.#made >= this.#maxBeside || this.#call.attempt > 1) return undefined
    if (!hasOther(this.#last!) || !budget.take()) return undefined
    this.#made += 1
    this.#highest += 1
    return this.#highest
  }

  /**
   * Notes that an attempt has failed.
   * @throws what the caller is told, if there is to be no other one
   */
  afterFailure(attempt: Call, thrown: unknown): NextAttempt {
    const error = CoveyError.from(thrown)
    this.#errors.push(error)
    if (!wasNotRun(error, attempt)) this.#mayHaveRun = error
    if (!this.repeatable(error)) throw this.#answer(error, attempt, thrown)
    const decision = this.#decide(error, attempt)
    if (typeof decision === 'string') throw this.#giveUp(error, decision)
    this.#made += 1
    return decision
  }

  #decide(error: CoveyError, attempt: Call): NextAttempt | Reason {
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
    const waitMs = this.#waitMs(askedMs, notRun && other)
    const leftMs = Math.min(longestWaitMs, this.#call.remainingMs())
    if (waitMs > 0 && waitMs >= leftMs) return 'time'
    if (!costly) return { waitMs, number: attempt.attempt }
    if (!budget.take()) return 'budget'
    this.#highest += 1
    return { waitMs, number: this.#highest }
  }

  #waitMs(askedMs: number | undefined, elsewhere: boolean): number {
    // What one instance says of when to come again is true of that one.
    if (elsewhere || (askedMs !== undefined && askedMs <= 0)) return 0
    // Those who were refused together must not come back together.
    return (askedMs ?? 0) + this.#backoff.next()
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
