import { CoveyError, type Identity, type Peer } from 'covey'

/** Who makes a call, as the ticket of its connection proved. */
export interface Caller {
  readonly userId: string
  readonly sessionId: string
}

/** The identity of a connection that a ticket has opened. */
export function toIdentity({ userId, sessionId }: Caller): Identity {
  return { subject: userId, claims: { sessionId } }
}

/**
 * Who is at the other end. The only source of user ids in this gateway: nothing a client sends is believed.
 * @throws CoveyError `UNAUTHENTICATED`
 */
export function callerOf({ identity }: Pick<Peer, 'identity'>): Caller {
  const sessionId = identity?.claims.sessionId
  if (identity === undefined || typeof sessionId !== 'string') {
    throw new CoveyError('UNAUTHENTICATED', 'log in first')
  }
  return { userId: identity.subject, sessionId }
}
