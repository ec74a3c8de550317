import type { Clock } from '../base/clock.ts'
import type { Call } from '../call/call.ts'
import type { RetryOptions } from '../middleware/attempts.ts'
import { RetryBudget } from '../middleware/retry-budget.ts'
import { RetryPolicy, type RetrySettings } from '../middleware/retry-policy.ts'
import type { Channel } from './channel.ts'

/** What a {@link ClientRetry} needs. */
export interface ClientRetryOptions {
  readonly settings?: RetrySettings | undefined
  readonly clock: Clock
  readonly random: () => number
}

/** How the clients of a runtime repeat calls: one policy, and a budget for each service, which all of its clients share. */
export class ClientRetry {
  /** To be changed at run time. */
  readonly policy: RetryPolicy
  readonly #clock: Clock
  readonly #random: () => number
  readonly #budgets = new Map<string, RetryBudget>()

  /** @throws TypeError naming the setting that is wrong */
  constructor({ settings, clock, random }: ClientRetryOptions) {
    this.policy = new RetryPolicy(settings)
    this.#clock = clock
    this.#random = random
  }

  /**
   * @param to what the budget is for: a service, or a fixed address
   * @param channel the way that a call takes
   */
  over(to: string, channel: (call: Call) => Pick<Channel, 'hasOther'>): RetryOptions {
    return {
      policy: this.policy,
      budget: this.#budget(to),
      random: this.#random,
      hasOther: (attempt) => channel(attempt).hasOther(attempt),
    }
  }

  #budget(to: string): RetryBudget {
    let budget = this.#budgets.get(to)
    if (budget === undefined) {
      budget = new RetryBudget(this.policy, this.#clock)
      this.#budgets.set(to, budget)
    }
    return budget
  }
}
