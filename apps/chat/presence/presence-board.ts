import type { Clock, Timer } from 'covey'
import type { PresenceChange, Route } from '../contracts/presence.ts'
import { PresenceWatch } from './presence-watch.ts'
import type { PresenceSettings } from './settings.ts'

/** All connections of one gateway instance, as it says. */
export interface Announcement {
  instance: string
  epoch: string
  leaseMs: number
  connections: readonly { userId: string; connectionId: string }[]
}

/** One life of a gateway instance. */
interface Gateway {
  readonly epoch: string
  /** Earlier lives; what still comes from them is late. */
  readonly earlier: readonly string[]
  /** Connection to user. */
  connections: ReadonlyMap<string, string>
  lease: Timer
}

/** Somebody who is online: has a route, or lost the last one a moment ago. */
interface OnlineUser {
  /** By instance and connection. */
  readonly routes: Map<string, Route>
  leaving: Timer | undefined
}

const maxEarlier = 8

/**
 * Who is where, in memory. Everything in it is a lease on the monotonic clock, so what is not renewed goes away by
 * itself, and a restart forgets nothing that the gateways do not say again.
 */
export class PresenceBoard {
  readonly #clock: Clock
  readonly #settings: PresenceSettings
  readonly #gateways = new Map<string, Gateway>()
  readonly #online = new Map<string, OnlineUser>()
  readonly #watches = new Map<string, Set<PresenceWatch>>()
  #warmUp: Timer | undefined

  constructor(clock: Clock, settings: PresenceSettings) {
    this.#clock = clock
    this.#settings = settings
    if (settings.warmUpMs > 0) {
      this.#warmUp = clock.after(settings.warmUpMs, () => this.#endWarmUp())
    }
  }

  /** Replaces the routes of an instance. False if it had none, or others of an earlier life, before. */
  announce({ instance, epoch, leaseMs, connections }: Announcement): boolean {
    const before = this.#gateways.get(instance)
    if (before?.earlier.includes(epoch)) return false
    const renewed = before?.epoch === epoch
    const gone = renewed || before === undefined ? [] : [before.epoch]
    before?.lease.stop()
    const gateway: Gateway = {
      epoch,
      earlier: [...(before?.earlier ?? []), ...gone].slice(-maxEarlier),
      connections: new Map(connections.map(({ connectionId, userId }) => [connectionId, userId])),
      lease: this.#clock.after(leaseMs, () => this.#expire(instance)),
    }
    this.#gateways.set(instance, gateway)
    // New ones first, so that who moved from one connection to another is never away.
    for (const [connectionId, userId] of gateway.connections) {
      this.#addRoute({ userId, instance, epoch, connectionId })
    }
    if (before !== undefined) this.#removeRoutes(instance, before, gateway.connections)
    return renewed
  }

  /** Live routes of users. */
  routes(userIds: readonly string[]): Route[] {
    return userIds.flatMap((userId) => [...(this.#online.get(userId)?.routes.values() ?? [])])
  }

  /** Which of these users are online. */
  online(userIds: readonly string[]): string[] {
    return userIds.filter((userId) => this.#online.has(userId))
  }

  /** The state of each user, then each change, until `signal` aborts. */
  async *watch(userIds: readonly string[], signal: AbortSignal): AsyncGenerator<PresenceChange> {
    const watch = new PresenceWatch(userIds)
    for (const userId of watch.userIds) {
      const watches = this.#watches.get(userId) ?? new Set()
      this.#watches.set(userId, watches.add(watch))
      const online = this.#online.has(userId)
      if (online || this.#warmUp === undefined) watch.tell(userId, online)
    }
    try {
      yield* watch.changes(signal)
    } finally {
      this.#forget(watch)
    }
  }

  /** Stops all timers. */
  close(): void {
    this.#warmUp?.stop()
    for (const { lease } of this.#gateways.values()) lease.stop()
    for (const { leaving } of this.#online.values()) leaving?.stop()
  }

  /** Gateways have had the time to speak: who was not named is offline. */
  #endWarmUp(): void {
    this.#warmUp = undefined
    for (const [userId, watches] of this.#watches) {
      for (const watch of watches) watch.tell(userId, this.#online.has(userId))
    }
  }

  #expire(instance: string): void {
    const gateway = this.#gateways.get(instance)
    if (gateway === undefined) return
    this.#gateways.delete(instance)
    this.#removeRoutes(instance, gateway, new Map())
  }

  #addRoute(route: Route): void {
    const { userId } = route
    const key = routeKey(route.instance, route.connectionId)
    const user = this.#online.get(userId)
    if (user !== undefined) {
      user.leaving?.stop()
      user.leaving = undefined
      user.routes.set(key, route)
      return
    }
    this.#online.set(userId, { routes: new Map([[key, route]]), leaving: undefined })
    this.#tell(userId, true)
  }

  /** Takes away the routes of a gateway that are not among those it has now. */
  #removeRoutes(instance: string, before: Gateway, now: ReadonlyMap<string, string>): void {
    for (const [connectionId, userId] of before.connections) {
      if (now.get(connectionId) === userId) continue
      const user = this.#online.get(userId)
      const removed = user?.routes.delete(routeKey(instance, connectionId))
      if (user && removed && user.routes.size === 0) this.#leave(userId, user)
    }
  }

  #leave(userId: string, user: OnlineUser): void {
    const gone = () => {
      this.#online.delete(userId)
      this.#tell(userId, false)
    }
    if (this.#settings.offlineAfterMs === 0) gone()
    else user.leaving = this.#clock.after(this.#settings.offlineAfterMs, gone)
  }

  #tell(userId: string, online: boolean): void {
    for (const watch of this.#watches.get(userId) ?? []) watch.tell(userId, online)
  }

  #forget(watch: PresenceWatch): void {
    for (const userId of watch.userIds) {
      const watches = this.#watches.get(userId)
      watches?.delete(watch)
      if (watches?.size === 0) this.#watches.delete(userId)
    }
  }
}

function routeKey(instance: string, connectionId: string): string {
  return `${instance}\n${connectionId}`
}
