import { type Client, type Clock, CoveyError, createBackoff, type Log, sleep } from 'covey'
import { type Outside, outsideCalls } from '../base/outside-calls.ts'
import type { presence, Route } from '../contracts/presence.ts'
import type { ChatEvent, Delivery, push } from '../contracts/push.ts'
import { InstanceLane } from './instance-lane.ts'
import { LostPushes } from './lost-pushes.ts'
import type { PushEvent } from './push-event.ts'

/** What an {@link EventPusher} needs. */
export interface EventPusherOptions {
  presence: Pick<Client<typeof presence>, 'routes'>
  push: Pick<Client<typeof push>, 'deliver'>
  clock: Clock
  log: Log
  /** Most events that wait. Default 10,000. */
  maxQueued?: number
}

/** Most events and users in one look-up of routes. */
const maxBatch = 100
const maxUsers = 1_000
/** Longer than a restart of the presence service takes, in milliseconds. */
const lookUpMs = 5_000

/**
 * Brings events to the connections of users: asks the presence service where they are, then tells those gateways.
 * It works behind the back of whoever pushes; what cannot be delivered after a few tries is dropped and told; see {@link LostPushes}.
 */
export class EventPusher {
  readonly #options: EventPusherOptions
  readonly #maxQueued: number
  readonly #outside: Outside = outsideCalls()
  readonly #abort = new AbortController()
  readonly #lost: LostPushes
  readonly #lanes = new Map<string, InstanceLane>()
  #queue: Delivery[] = []
  #dropped = 0
  #running: Promise<void> | undefined

  constructor(options: EventPusherOptions) {
    this.#options = options
    this.#lost = new LostPushes(options)
    this.#maxQueued = options.maxQueued ?? 10_000
  }

  /** Sends an event to users; see {@link PushEvent}. */
  readonly push: PushEvent = (userIds, event) => this.#push(userIds, event)

  /** Settles when everything that was pushed is delivered or dropped. */
  async idle(): Promise<void> {
    while (this.#running !== undefined || this.#lanes.size > 0) {
      await this.#running
      await Promise.all([...this.#lanes.values()].map(({ done }) => done))
    }
  }

  /** Gives what waits up to `graceMs` to leave, then drops the rest. */
  async close(graceMs = 1_000): Promise<void> {
    const late = sleep(graceMs, this.#abort.signal, this.#options.clock).catch(() => {})
    await Promise.race([this.idle(), late])
    this.#abort.abort()
    this.#lost.tell()
  }

  #push(userIds: readonly string[], event: ChatEvent): void {
    if (userIds.length === 0 || this.#abort.signal.aborted) return
    if (this.#queue.length >= this.#maxQueued) {
      this.#dropped += 1
      return
    }
    this.#queue.push({ userIds: [...userIds], event })
    this.#running ??= this.#outside(() => this.#run())
  }

  async #run(): Promise<void> {
    // Events of one turn share one look-up.
    await new Promise((resolve) => setImmediate(resolve))
    while (this.#queue.length > 0 && !this.#abort.signal.aborted) {
      const batch = this.#takeBatch()
      this.#handOut(batch, await this.#findRoutes(batch))
      if (this.#dropped > 0) {
        this.#options.log.warn({ events: this.#dropped }, 'pushes dropped: too many wait')
      }
      this.#dropped = 0
    }
    this.#queue = []
    this.#running = undefined
  }

  #takeBatch(): Delivery[] {
    let users = 0
    let count = 0
    for (const { userIds } of this.#queue) {
      users += userIds.length
      if (count === maxBatch || (users > maxUsers && count > 0)) break
      count += 1
    }
    return this.#queue.splice(0, count)
  }

  async #findRoutes(batch: readonly Delivery[]): Promise<Route[]> {
    const { presence, clock, log } = this.#options
    const { signal } = this.#abort
    const userIds = [...new Set(batch.flatMap((delivery) => delivery.userIds))]
    const backoff = createBackoff({ baseMs: 200, maxMs: 1_000 })
    const untilMs = clock.monotonicMs() + lookUpMs
    for (;;) {
      try {
        return await presence.routes({ userIds }, { timeoutMs: 2_000, signal })
      } catch (error) {
        if (signal.aborted) return []
        if (clock.monotonicMs() >= untilMs) {
          const { code, message } = CoveyError.from(error)
          const fields = { events: batch.length, code, reason: message }
          log.warn(fields, 'pushes lost: nobody knows where users are; clients pull them')
          return []
        }
        await sleep(backoff.next(), signal, clock).catch(() => {})
      }
    }
  }

  /** Gives each gateway the events of its users, in the order they were pushed. */
  #handOut(batch: readonly Delivery[], routes: readonly Route[]): void {
    const users = new Map<string, { route: Route; userIds: Set<string> }>()
    for (const route of routes) {
      const key = `${route.instance}\n${route.epoch}`
      const known = users.get(key)
      if (known === undefined) users.set(key, { route, userIds: new Set([route.userId]) })
      else known.userIds.add(route.userId)
    }
    for (const [key, { route, userIds }] of users) {
      const deliveries = batch
        .map(({ userIds: all, event }) => ({ userIds: all.filter((id) => userIds.has(id)), event }))
        .filter((delivery) => delivery.userIds.length > 0)
      this.#send(key, route, deliveries)
    }
  }

  #send(key: string, { instance, epoch }: Route, deliveries: readonly Delivery[]): void {
    const { push, clock, log } = this.#options
    const known = this.#lanes.get(key)
    if (known !== undefined) {
      for (const delivery of deliveries) known.add(delivery)
      return
    }
    const { signal } = this.#abort
    if (signal.aborted) return
    const options = { instance, epoch, push, clock, log, lost: this.#lost, signal }
    const lane = new InstanceLane(options, deliveries, () => this.#lanes.delete(key))
    this.#lanes.set(key, lane)
  }
}
