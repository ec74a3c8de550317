import { type Client, type Clock, CoveyError, type Log, sleep } from 'covey'
import type { users } from '../contracts/users.ts'

/** What a {@link SessionWatch} needs. */
export interface SessionWatchOptions {
  users: Pick<Client<typeof users>, 'liveSessions'>
  /** Sessions that have a connection here. */
  sessionIds: () => Iterable<string>
  /** Cuts off everything of a session. */
  cut: (sessionId: string, reason: CoveyError) => void
  /** Time between two checks, in milliseconds. */
  checkMs: number
  clock: Clock
  log: Log
}

const maxBatch = 1_000
const maxRemembered = 10_000

/**
 * Sees to it that a session which has ended, here, at another gateway or by its age, loses its connections within a few
 * seconds. While the user service is away nobody is cut off.
 */
export class SessionWatch {
  readonly #options: SessionWatchOptions
  readonly #abort = new AbortController()
  // The youngest of those that ended here; a call of theirs may still be on its way.
  readonly #ended = new Set<string>()
  #loop: Promise<void> | undefined

  constructor(options: SessionWatchOptions) {
    this.#options = options
  }

  /** Begins to check. Not inside of a call, whose end would be its end. */
  start(): void {
    this.#loop = this.#run()
  }

  async stop(): Promise<void> {
    this.#abort.abort()
    await this.#loop
  }

  /** Ends a session at this gateway, now. */
  end(sessionId: string): void {
    this.#ended.add(sessionId)
    const [oldest] = this.#ended
    if (this.#ended.size > maxRemembered && oldest !== undefined) this.#ended.delete(oldest)
    this.#options.cut(sessionId, sessionEnded())
  }

  /** @throws CoveyError `UNAUTHENTICATED` if this session is known to have ended */
  requireLive(sessionId: string): void {
    if (this.#ended.has(sessionId)) throw sessionEnded()
  }

  async #run(): Promise<void> {
    const { clock, checkMs, log } = this.#options
    const { signal } = this.#abort
    while (!signal.aborted) {
      await sleep(checkMs, signal, clock).catch(() => {})
      if (signal.aborted) return
      try {
        await this.#check()
      } catch (error) {
        const { code, message } = CoveyError.from(error)
        log.debug({ code, reason: message }, 'sessions could not be checked')
      }
    }
  }

  async #check(): Promise<void> {
    const { users, sessionIds, checkMs } = this.#options
    const all = [...new Set(sessionIds())]
    for (let at = 0; at < all.length; at += maxBatch) {
      const batch = all.slice(at, at + maxBatch)
      const options = { timeoutMs: Math.max(checkMs, 1_000), signal: this.#abort.signal }
      const live = new Set(await users.liveSessions({ sessionIds: batch }, options))
      for (const sessionId of batch) if (!live.has(sessionId)) this.end(sessionId)
    }
  }
}

function sessionEnded(): CoveyError {
  return new CoveyError('UNAUTHENTICATED', 'this session has ended; log in again')
}
