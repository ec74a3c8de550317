import type { Instance } from './registry.ts'
import { sameInstances } from './same-instances.ts'

/** What a feed tells its owner. */
export interface InstanceFeedOptions {
  /** The first watch began: lists are wanted from now on. */
  readonly wanted?: () => void
  /** The last watch ended: nobody looks any more. */
  readonly unwanted?: () => void
}

/**
 * Hands the instances that a registry knows to those who watch. Each watch gets the list of its service as soon as there
 * is one, and then each list that differs from the one it got last; a slow reader gets only the newest.
 */
export class InstanceFeed {
  #all: readonly Instance[] | undefined
  /** Lists by service, made when they are asked for and dropped at the next change. */
  readonly #lists = new Map<string, readonly Instance[]>()
  readonly #watches = new Set<Watch>()
  readonly #options: InstanceFeedOptions
  #closed = false

  constructor(options: InstanceFeedOptions = {}) {
    this.#options = options
  }

  /** Replaces all instances; of two with the same id the last one counts. */
  set(instances: Iterable<Instance>): void {
    const byId = new Map([...instances].map((instance) => [instance.id, instance]))
    const all = [...byId.values()].sort((a, b) => (a.id < b.id ? -1 : 1))
    if (this.#all !== undefined && sameInstances(this.#all, all)) return
    this.#all = all
    this.#lists.clear()
    for (const watch of this.#watches) watch.wake()
  }

  /** Forgets the instances: watches that begin wait for the next `set`. */
  forget(): void {
    this.#all = undefined
    this.#lists.clear()
  }

  /** Names of all services with an instance, sorted. */
  services(): readonly string[] {
    const names = new Set(this.#all?.flatMap(({ services }) => services))
    return Object.freeze([...names].sort())
  }

  /** Instances of one service, ordered by id; undefined before the first `set`. */
  list(service: string): readonly Instance[] | undefined {
    if (this.#all === undefined) return undefined
    let list = this.#lists.get(service)
    if (list === undefined) {
      list = Object.freeze(this.#all.filter(({ services }) => services.includes(service)))
      this.#lists.set(service, list)
    }
    return list
  }

  /** See `Registry.watch`. */
  watch(service: string, signal?: AbortSignal): AsyncIterable<readonly Instance[]> {
    return { [Symbol.asyncIterator]: () => new Watch(this, service, signal) }
  }

  /** Ends all watches, and those that come. */
  close(): void {
    this.#closed = true
    for (const watch of this.#watches) watch.end()
  }

  /** Counts a watch in. */
  join(watch: Watch): void {
    if (this.#closed) return watch.end()
    this.#watches.add(watch)
    if (this.#watches.size === 1) this.#options.wanted?.()
  }

  /** Counts a watch out. */
  leave(watch: Watch): void {
    if (this.#watches.delete(watch) && this.#watches.size === 0) this.#options.unwanted?.()
  }
}

/** One reader of a feed. It counts from its first `next` until it ends. */
class Watch implements AsyncIterator<readonly Instance[], undefined> {
  readonly #feed: InstanceFeed
  readonly #service: string
  readonly #signal: AbortSignal | undefined
  #state: 'new' | 'open' | 'ended' = 'new'
  #last: readonly Instance[] | undefined
  #changed = Promise.withResolvers<void>()
  #previous: Promise<unknown> = Promise.resolve()

  constructor(feed: InstanceFeed, service: string, signal: AbortSignal | undefined) {
    this.#feed = feed
    this.#service = service
    this.#signal = signal
  }

  next(): Promise<IteratorResult<readonly Instance[], undefined>> {
    const result = this.#previous.then(() => this.#take())
    this.#previous = result
    return result
  }

  async return(): Promise<IteratorResult<readonly Instance[], undefined>> {
    this.end()
    return { done: true, value: undefined }
  }

  wake(): void {
    this.#changed.resolve()
    this.#changed = Promise.withResolvers()
  }

  end = (): void => {
    this.#state = 'ended'
    this.#signal?.removeEventListener('abort', this.end)
    this.#feed.leave(this)
    this.wake()
  }

  async #take(): Promise<IteratorResult<readonly Instance[], undefined>> {
    if (this.#state === 'new') this.#begin()
    while (this.#state === 'open') {
      const list = this.#feed.list(this.#service)
      const isNew = this.#last === undefined || (list && !sameInstances(this.#last, list))
      if (list !== undefined && isNew) {
        this.#last = list
        return { done: false, value: list }
      }
      await this.#changed.promise
    }
    return { done: true, value: undefined }
  }

  #begin(): void {
    if (this.#signal?.aborted) return this.end()
    this.#state = 'open'
    this.#signal?.addEventListener('abort', this.end, { once: true })
    this.#feed.join(this)
  }
}
