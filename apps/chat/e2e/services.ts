import { join } from 'node:path'
import { type Client, CoveyError, createClient, createRuntime, type Runtime, sleep } from 'covey'
import { conversations } from '../contracts/conversations.ts'
import { users } from '../contracts/users.ts'
import type { Fleet } from './fleet.ts'
import type { Entry } from './ledger.ts'
import type { Account } from './user-page.ts'

/** The services of a running fleet, asked over its own contracts past the gateway. */
export class Services implements AsyncDisposable {
  readonly #runtime: Runtime
  readonly #conversations: Client<typeof conversations>
  readonly #users: Client<typeof users>

  constructor(fleet: Fleet) {
    const runtime = createRuntime({ registry: `file:${join(fleet.folder, '.covey/registry')}` })
    this.#runtime = runtime
    this.#conversations = createClient(conversations, { runtime })
    this.#users = createClient(users, { runtime })
  }

  async userId({ password, username }: Account): Promise<string> {
    const { user } = await this.#users.logIn({ username, password })
    return user.id
  }

  /** Sends a message, waiting as long as the service asks when it is too many. */
  async send(senderId: string, conversationId: string, text: string): Promise<Entry> {
    const clientId = crypto.randomUUID()
    for (;;) {
      try {
        const input = { senderId, conversationId, clientId, text }
        const { seq } = await this.#conversations.send(input)
        return { seq, clientId, text }
      } catch (error) {
        if (!this.#conversations.send.isError(error, 'TOO_FAST')) throw CoveyError.from(error)
        await sleep(error.details.retryAfterMs)
      }
    }
  }

  /** The whole history that the message service has. */
  async history(userId: string, conversationId: string): Promise<Entry[]> {
    const history: Entry[] = []
    for (;;) {
      const afterSeq = history.at(-1)?.seq ?? 0
      const range = { userId, conversationId, afterSeq, limit: 200 }
      const page = await this.#conversations.messages(range)
      if (page.length === 0) return history
      history.push(...page.map(({ seq, clientId, text }) => ({ seq, clientId, text })))
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#runtime.close()
  }
}
