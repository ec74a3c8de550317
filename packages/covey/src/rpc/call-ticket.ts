import type { BoundMethod } from '../contract/method.ts'
import type { ResultOptions, Ticket } from '../contract/ticket.ts'
import { awaitResults } from './await-results.ts'
import { fromCall } from './from-call.ts'
import type { ResultSource } from './result-source.ts'
import { instanceOfToken } from './result-token.ts'

/** The ticket of a call of `method`; its result is asked for by the client that made it. */
export class CallTicket implements Ticket<unknown> {
  readonly token: string
  /** The instance that keeps the result. */
  readonly instance: string
  readonly method: BoundMethod
  readonly source: ResultSource

  /** @throws CoveyError `INVALID_INPUT` if the token is none */
  constructor(token: string, method: BoundMethod, source: ResultSource) {
    this.instance = instanceOfToken(token)
    this.token = token
    this.method = method
    this.source = source
  }

  async result(options?: ResultOptions): Promise<unknown> {
    const settled = await awaitResults(this.instance, [this.token], this.source, options)
    const outcome = settled.get(this.token)!
    if (outcome.ok) return outcome.value
    throw fromCall(outcome.error, this.method)
  }

  /** In a message, a log or JSON it is its token. */
  toJSON(): string {
    return this.token
  }
}
