import type { TestContext } from 'node:test'
import { type Client, CoveyError, silentLog } from 'covey'
import { FakeClock, LocalService } from 'covey/testing'
import type { chat } from '../contracts/chat.ts'
import type { push } from '../contracts/push.ts'
import { toIdentity } from '../gateway/caller.ts'
import { chatService } from '../gateway/chat-service.ts'
import { Connections } from '../gateway/connections.ts'
import { PresenceAnnouncer } from '../gateway/presence-announcer.ts'
import { pushService } from '../gateway/push-service.ts'
import { PresenceBoard } from '../presence/presence-board.ts'
import { presenceService } from '../presence/presence-service.ts'
import { EventPusher } from '../push/event-pusher.ts'
import { startMessageService } from './message-service.ts'
import { until } from './until.ts'
import { startUserService } from './user-service.ts'

const leaseMs = 10_000

interface PushServer {
  client(): Client<typeof push>
}

/** All services of the platform in one process, on a fake clock, with any number of gateways. */
export async function startLocalFleet(test: TestContext) {
  const clock = new FakeClock()
  const users = await startUserService(test, clock)
  const messages = await startMessageService(test, {
    clock,
    areFriends: (a, b) => users.api.areFriends({ a, b }),
  })
  const presence = startPresence(test, clock)
  const gateways = new Map<string, PushServer>()
  const pusher = new EventPusher({
    presence: presence.server.client(),
    push: { deliver: deliverTo(gateways) },
    clock,
    log: silentLog,
  })
  users.pushes.forward = pusher.push
  messages.pushes.forward = pusher.push

  /** One more gateway. Its `connect` opens a connection for somebody. */
  function addGateway(instance: string) {
    const epoch = `life of ${instance}`
    const connections = new Connections(() => announcer.changed())
    const announcer = new PresenceAnnouncer({
      presence: presence.server.client(),
      instance,
      epoch,
      leaseMs,
      connections: () => connections.list(),
      onForgotten: () => connections.resync(),
      clock,
      log: silentLog,
    })
    gateways.set(instance, new LocalService(pushService(connections, epoch), { clock }))
    const ended = new Set<string>()
    const server = new LocalService(
      chatService({
        users: users.server.client(),
        conversations: messages.server.client(),
        presence: presence.server.client(),
        connections,
        announcer,
        sessions: {
          requireLive(sessionId) {
            if (ended.has(sessionId)) throw new CoveyError('UNAUTHENTICATED', 'ended')
          },
        },
        clock,
        log: silentLog,
      }),
      { clock },
    )
    announcer.start()
    test.after(() => announcer.stop())
    const connect = (userId: string, sessionId = 's_test'): Client<typeof chat> =>
      server.client(toIdentity({ userId, sessionId }))
    return { server, connections, announcer, connect, ended }
  }

  const gateway = addGateway('gateway-1')

  /** Registers somebody and opens a connection. */
  async function join(name: string, at = gateway) {
    const { user } = await users.register(name)
    return { ...user, api: at.connect(user.id) }
  }

  const wait = (check: () => boolean | Promise<boolean>, limitMs?: number) =>
    until(clock, check, limitMs)
  return { clock, users, messages, presence, gateway, addGateway, gateways, pusher, join, wait }
}

/** The presence service; `forget` replaces it by one that knows nothing, as a restart does. */
function startPresence(test: TestContext, clock: FakeClock) {
  const makeBoard = () => new PresenceBoard(clock, { offlineAfterMs: 1_000, warmUpMs: 0 })
  let board = makeBoard()
  test.after(() => board.close())
  const handlers = () => presenceService(board).handlers
  const { contract } = presenceService(board)
  const server = new LocalService(
    {
      contract,
      handlers: {
        announce: (input, call) => handlers().announce(input, call),
        routes: (input, call) => handlers().routes(input, call),
        online: (input, call) => handlers().online(input, call),
        watch: (input, call) => handlers().watch(input, call),
      },
    },
    { clock },
  )
  function forget(): void {
    board.close()
    board = makeBoard()
  }
  return { server, forget, routes: (userId: string) => board.routes([userId]) }
}

/** Finds the gateway that a call names, as the channel of a fleet does. */
function deliverTo(gateways: ReadonlyMap<string, PushServer>) {
  type Deliver = Client<typeof push>['deliver']
  const deliver = async (...[input, options]: Parameters<Deliver>) => {
    const gateway = gateways.get(options?.instance ?? '')
    if (gateway === undefined) throw new CoveyError('UNAVAILABLE', 'no such instance')
    return gateway.client().deliver(input, options)
  }
  // The other ways to call it are not used here.
  return deliver as Deliver
}
