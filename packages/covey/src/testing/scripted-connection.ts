import type { Call } from '../call/call.ts'
import type { Handler } from '../call/handler.ts'
import type { CoveyError } from '../error/covey-error.ts'
import type { Connection } from '../transport/transport.ts'

/**
 * A connection that does what a test tells it: `answer` carries out the calls, `lose` breaks it.
 * @example
 * const connection = new ScriptedConnection(async () => 'pong')
 */
export class ScriptedConnection implements Connection {
  /** What becomes of a call. */
  answer: Handler
  state: 'open' | 'draining' | 'closed' = 'open'
  pending = 0
  /** All calls that it was given, in order. */
  readonly calls: Call[] = []
  readonly closed: Promise<CoveyError | undefined>
  readonly #ended = Promise.withResolvers<CoveyError | undefined>()

  constructor(answer: Handler = async () => undefined) {
    this.answer = answer
    this.closed = this.#ended.promise
  }

  readonly invoke = (call: Call): Promise<unknown> => {
    this.calls.push(call)
    return this.answer(call)
  }

  /** The other end is gone. */
  lose(reason?: CoveyError): void {
    this.state = 'closed'
    this.#ended.resolve(reason)
  }

  async close(): Promise<void> {
    this.lose()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
