import type { Call, Recipient } from '../call/call.ts'
import type { Handler } from '../call/handler.ts'
import { CoveyError, type CoveyErrorOptions } from '../error/covey-error.ts'
import type { RetryOptions } from '../middleware/attempts.ts'
import { RetryBudget } from '../middleware/retry-budget.ts'
import { RetryPolicy, type RetrySettings } from '../middleware/retry-policy.ts'
import { FakeClock } from './fake-clock.ts'

/** What becomes of one attempt: a value, or an error to be thrown; a function decides when it is made. */
export type Outcome = unknown | CoveyError | ((attempt: Call) => unknown)

/** Settings of {@link scriptedAttempts}. */
export interface ScriptedAttemptsOptions {
  readonly policy?: RetrySettings
  /** Names of the instances that are there. Default `a`, `b` and `c`. */
  readonly instances?: readonly string[]
}

/**
 * Instances that do with attempts what a test says, in place of a channel; time is the test's. Pauses take half of what they may.
 * @example
 * const { run, attempts } = scriptedAttempts([said('DRAINING'), 'answer'])
 * assert.equal(await run(retry(options)), 'answer')
 */
export function scriptedAttempts(
  script: readonly Outcome[],
  { policy, instances = ['a', 'b', 'c'] }: ScriptedAttemptsOptions = {},
) {
  const clock = new FakeClock()
  const all: Recipient[] = instances.map((id) => ({ instance: { id } }))
  const attempts: Call[] = []
  /** When each attempt was made, in milliseconds. */
  const timesMs: number[] = []
  const rules = new RetryPolicy(policy)
  const options: RetryOptions = {
    policy: rules,
    budget: new RetryBudget(rules, clock),
    random: () => 0.5,
    hasOther: (attempt) => all.some((one) => !wentTo(one, attempt)),
  }
  const handler: Handler = async (attempt) => {
    const outcome = script[attempts.length]
    attempts.push(attempt)
    timesMs.push(clock.monotonicMs())
    attempt.sentTo = all.find((one) => !wentTo(one, attempt.previous)) ?? all[0]
    const result = typeof outcome === 'function' ? await outcome(attempt) : outcome
    if (result instanceof Error) throw result
    return result
  }
  /** Who was asked, in order. */
  const asked = () => attempts.map(({ sentTo }) => sentTo?.instance.id)
  return { clock, options, handler, attempts, timesMs, asked }
}

/** An error that an instance sent. */
export function said(code: string, details?: CoveyErrorOptions['details']): CoveyError {
  return CoveyError.fromData({ code, message: `said ${code}`, details })
}

/** An error that arose in this process. */
export function arose(code: string): CoveyError {
  return new CoveyError(code, `found ${code}`)
}

function wentTo(recipient: Recipient, attempt: Call | undefined): boolean {
  for (let one = attempt; one !== undefined; one = one.previous) {
    if (one.sentTo === recipient) return true
  }
  return false
}
