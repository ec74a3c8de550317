import type { Call } from '../call/call.ts'
import type { Handler } from '../call/handler.ts'
import type { CoveyError } from '../error/covey-error.ts'
import type { Connection, ConnectionEvents, ConnectionState } from '../transport/transport.ts'

/**
 * A connection that does what a test tells it: `answer` carries out the calls, `lose` breaks it.
 * @example
 * const connection = new ScriptedConnection(async () => 'pong')
 */
export class ScriptedConnection implements Connection {
  /** What becomes of a call. */
  answer: Handler
  state: ConnectionState = 'open'
  pending = 0
  stalledMs: number | undefined
  /** Whom it tells of changes. */
  events: ConnectionEvents = {}
  /** All calls that it was given, in order. */
  readonly calls: Call[] = []
  readonly closed: Promise<CoveyError | undefined>
  /** The last time it was asked. */
  probed: Promise<void> | undefined
  readonly #asked: (() => void)[] = []
  readonly #ended = Promise.withResolvers<CoveyError | undefined>()

  constructor(answer: Handler = async () => undefined) {
    this.answer = answer
    this.closed = this.#ended.promise
  }

  readonly invoke = (call: Call): Promise<unknown> => {
    this.calls.push(call)
    return this.answer(call)
  }

  /** The other end stands still. */
  stall(stalledMs = 800): void {
    this.state = 'stalled'
    this.stalledMs = stalledMs
    this.events.onStalled?.()
  }

  /** The other end is heard again, which answers what it was asked. */
  async wake(): Promise<void> {
    const stalled = this.state === 'stalled'
    if (stalled) this.state = 'open'
    this.stalledMs = undefined
    for (const answer of this.#asked.splice(0)) answer()
    if (stalled) this.events.onStalled?.()
    await this.probed
  }

  /** Asked whether the other end is there; `wake` answers. */
  probe(): Promise<void> {
    this.probed = new Promise((resolve) => this.#asked.push(resolve))
    return this.probed
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
