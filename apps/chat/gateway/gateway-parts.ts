import { type AppContext, CoveyError, type Peer } from 'covey'
import type { FastifyInstance } from 'fastify'
import { secureRandomBytes } from '../base/random-bytes.ts'
import { RateLimiter } from '../base/rate-limiter.ts'
import { conversations } from '../contracts/conversations.ts'
import { presence } from '../contracts/presence.ts'
import { tickets as ticketsContract } from '../contracts/tickets.ts'
import { users } from '../contracts/users.ts'
import { callerOf, toIdentity } from './caller.ts'
import { chatService } from './chat-service.ts'
import { Connections } from './connections.ts'
import { PresenceAnnouncer } from './presence-announcer.ts'
import { pushService } from './push-service.ts'
import { sessionRoutes } from './session-routes.ts'
import { SessionWatch } from './session-watch.ts'
import { type GatewaySettings, tlsOf } from './settings.ts'
import { Tickets, ticketsService } from './tickets.ts'

/** The sockets of browsers, as the door of the gateway has them. */
export interface Door {
  peers(): Iterable<Peer>
  disconnect(matches: (peer: Peer) => boolean, reason: CoveyError): void
}

/** Everything of the gateway that is about chat, wired together. */
export type GatewayParts = ReturnType<typeof openGatewayParts>

/** Builds and starts the parts of a gateway. The door is told later, since it needs some of them. */
export function openGatewayParts(context: AppContext<GatewaySettings>) {
  const { client, clock, log, instance, settings } = context
  const userClient = client(users)
  const presenceClient = client(presence)
  const epoch = crypto.randomUUID()
  let door: Door | undefined

  const connections = new Connections(() => announcer.changed())
  const announcer = new PresenceAnnouncer({
    presence: presenceClient,
    instance,
    epoch,
    leaseMs: settings.leaseMs,
    connections: () => connections.list(),
    onForgotten: () => connections.resync(),
    clock,
    log,
  })
  const tickets = new Tickets({
    instance,
    others: client(ticketsContract),
    clock,
    random: secureRandomBytes,
  })
  const sessions = new SessionWatch({
    users: userClient,
    sessionIds: () => [...(door?.peers() ?? [])].map((peer) => callerOf(peer).sessionId),
    cut(sessionId, reason) {
      connections.endSession(sessionId, reason)
      door?.disconnect((peer) => callerOf(peer).sessionId === sessionId, reason)
    },
    checkMs: settings.sessionCheckMs,
    clock,
    log,
  })
  const chat = chatService({
    users: userClient,
    conversations: client(conversations),
    presence: presenceClient,
    connections,
    announcer,
    sessions,
    clock,
    log,
  })
  const origins = settings.publicUrl === undefined ? [] : [new URL(settings.publicUrl).origin]
  announcer.start()
  sessions.start()

  return {
    /** For browsers. */
    chat,
    /** For the other services of the fleet. */
    services: [pushService(connections, epoch), ticketsService(tickets)],
    origins,
    authenticate: async (ticket: string | undefined) => toIdentity(await tickets.redeem(ticket)),
    routes: (http: FastifyInstance) =>
      sessionRoutes(http, {
        users: userClient,
        tickets,
        sessions,
        tries: new RateLimiter(perSecond(settings.tries), clock),
        secure: tlsOf(settings) !== undefined,
        origins,
        clock,
        log,
      }),
    attachDoor(value: Door) {
      door = value
    },
    async stop() {
      connections.endAll(new CoveyError('DRAINING', 'the gateway is stopping; connect again'))
      await Promise.all([sessions.stop(), announcer.stop()])
    },
  }
}

function perSecond({ burst, perMinute }: GatewaySettings['tries']) {
  return { burst, perSecond: perMinute / 60 }
}
