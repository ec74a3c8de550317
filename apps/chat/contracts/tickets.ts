import { defineContract, unary } from 'covey'
import { z } from 'zod'
import { UserId } from './people.ts'

/**
 * Tickets between gateways: a browser may get its ticket from one gateway and open its WebSocket at
 * another, which asks the first one. Every gateway serves it.
 */
export const tickets = defineContract('tickets', {
  /** Uses up a ticket. `UNAUTHENTICATED` when it is unknown, used, or older than 30 seconds. */
  redeem: unary({
    input: z.object({ ticket: z.string().max(200) }),
    output: z.object({ userId: UserId, sessionId: z.string() }),
    timeoutMs: 2_000,
  }),
})
