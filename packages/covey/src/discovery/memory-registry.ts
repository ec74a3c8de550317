import { checkInstance, checkUpdate } from './check-instance.ts'
import { InstanceFeed } from './instance-feed.ts'
import { closedError, releasedError, takenError } from './lease-errors.ts'
import type { Instance, Lease, Registry } from './registry.ts'

/**
 * A registry inside one process. Applications find one another when they are given the same object.
 * @example
 * const registry = new MemoryRegistry()
 * const users = createApp({ name: 'users', registry, services: [usersService] })
 */
export class MemoryRegistry implements Registry {
  readonly #instances = new Map<string, Instance>()
  readonly #feed = new InstanceFeed()
  #closed = false

  constructor() {
    this.#publish()
  }

  async register(instance: Instance): Promise<Lease> {
    const checked = checkInstance(instance)
    const { id } = checked
    if (this.#closed) throw closedError()
    if (this.#instances.has(id)) throw takenError(id)
    this.#instances.set(id, checked)
    this.#publish()
    return this.#lease(id)
  }

  watch(service: string, signal?: AbortSignal): AsyncIterable<readonly Instance[]> {
    return this.#feed.watch(service, signal)
  }

  async services(): Promise<readonly string[]> {
    if (this.#closed) throw closedError()
    return this.#feed.services()
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#feed.close()
    this.#instances.clear()
    this.#publish()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #lease(id: string): Lease {
    let held = true
    const release = async () => {
      if (!held) return
      held = false
      this.#instances.delete(id)
      this.#publish()
    }
    return {
      update: async (instance) => {
        if (!held || this.#closed) throw releasedError(id)
        this.#instances.set(id, checkUpdate(instance, id))
        this.#publish()
      },
      release,
      [Symbol.asyncDispose]: release,
    }
  }

  #publish(): void {
    this.#feed.set(this.#instances.values())
  }
}
