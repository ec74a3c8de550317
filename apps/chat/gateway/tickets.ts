import { createHash } from 'node:crypto'
import { type Client, type Clock, CoveyError, defineService } from 'covey'
import type { RandomBytes } from '../base/random-bytes.ts'
import { RateLimiter } from '../base/rate-limiter.ts'
import { tickets as contract } from '../contracts/tickets.ts'
import type { Caller } from './caller.ts'

/** How long a ticket can be used, in milliseconds. */
const ticketMs = 30_000
/** Tickets of one session: a browser that opens all its pages at once, then one each second. */
const ticketsPerSession = { burst: 30, perSecond: 1 }

/** What {@link Tickets} need. */
export interface TicketsOptions {
  /** Id of this gateway, which is a part of its tickets. */
  instance: string
  /** Asks another gateway about a ticket of its own. */
  others: Pick<Client<typeof contract>, 'redeem'>
  clock: Clock
  random: RandomBytes
}

interface Issued extends Caller {
  readonly untilMs: number
}

/**
 * One-use tickets that open WebSockets. A ticket is 256 random bits, of which only a hash is kept, and works once, for 30
 * seconds, at every gateway: it names the one that issued it, which is asked.
 */
export class Tickets {
  readonly #options: TicketsOptions
  // By hash, in the order they were issued, which is the order they end.
  readonly #issued = new Map<string, Issued>()
  readonly #limit: RateLimiter

  constructor(options: TicketsOptions) {
    this.#options = options
    this.#limit = new RateLimiter(ticketsPerSession, options.clock)
  }

  /**
   * A new ticket for a session.
   * @throws CoveyError `RESOURCE_EXHAUSTED` if the session asks for too many
   */
  issue({ userId, sessionId }: Caller): string {
    const { instance, clock, random } = this.#options
    const retryAfterMs = this.#limit.take(sessionId)
    if (retryAfterMs > 0) {
      const details = { rule: 'tickets of one session', retryAfterMs }
      throw new CoveyError('RESOURCE_EXHAUSTED', 'too many connections at once', { details })
    }
    this.#forgetEnded()
    const secret = random(32).toString('base64url')
    const untilMs = clock.monotonicMs() + ticketMs
    this.#issued.set(hashSecret(secret), { userId, sessionId, untilMs })
    return `${instance}.${secret}`
  }

  /**
   * Uses up a ticket, of this gateway or of another.
   * @throws CoveyError `UNAUTHENTICATED` if it is unknown, used or too old
   */
  async redeem(ticket: string | undefined): Promise<Caller> {
    const at = ticket?.lastIndexOf('.') ?? -1
    if (ticket === undefined || at < 0) throw notValid()
    const issuer = ticket.slice(0, at)
    if (issuer === this.#options.instance) return this.redeemOwn(ticket)
    try {
      return await this.#options.others.redeem({ ticket }, { instance: issuer })
    } catch (error) {
      // The gateway that issued it is gone, and its tickets with it; or it was never one.
      throw notValid(error)
    }
  }

  /** Uses up a ticket that this gateway issued. @throws CoveyError `UNAUTHENTICATED` */
  redeemOwn(ticket: string): Caller {
    const hash = hashSecret(ticket.slice(ticket.lastIndexOf('.') + 1))
    const issued = this.#issued.get(hash)
    this.#issued.delete(hash)
    if (issued === undefined || issued.untilMs <= this.#options.clock.monotonicMs())
      throw notValid()
    return { userId: issued.userId, sessionId: issued.sessionId }
  }

  /** Voids the tickets of a session. */
  revokeSession(sessionId: string): void {
    for (const [hash, issued] of this.#issued) {
      if (issued.sessionId === sessionId) this.#issued.delete(hash)
    }
  }

  #forgetEnded(): void {
    const nowMs = this.#options.clock.monotonicMs()
    for (const [hash, { untilMs }] of this.#issued) {
      if (untilMs > nowMs) return
      this.#issued.delete(hash)
    }
  }
}

/** The contract `tickets`, for the other gateways. */
export function ticketsService(tickets: Tickets) {
  return defineService(contract, { redeem: ({ ticket }) => tickets.redeemOwn(ticket) })
}

function hashSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url')
}

function notValid(cause?: unknown): CoveyError {
  return new CoveyError('UNAUTHENTICATED', 'the ticket is not valid; get a new one', { cause })
}
