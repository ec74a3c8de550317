import { closedError } from './lease-errors.ts'
import type { Instance, Lease, Registry } from './registry.ts'

/**
 * A registry that belongs to somebody else: closing this form releases its own leases and ends its own watches, and
 * leaves the registry itself and its other users alone.
 */
export class BorrowedRegistry implements Registry {
  readonly #registry: Registry
  readonly #leases = new Set<Lease>()
  readonly #end = new AbortController()

  constructor(registry: Registry) {
    this.#registry = registry
  }

  async register(instance: Instance): Promise<Lease> {
    this.#requireOpen()
    const inner = await this.#registry.register(instance)
    const lease: Lease = {
      update: (changed) => inner.update(changed),
      release: () => {
        this.#leases.delete(lease)
        return inner.release()
      },
      [Symbol.asyncDispose]: () => lease.release(),
    }
    this.#leases.add(lease)
    if (!this.#end.signal.aborted) return lease
    await lease.release()
    throw closedError()
  }

  watch(service: string, signal?: AbortSignal): AsyncIterable<readonly Instance[]> {
    const end = this.#end.signal
    return this.#registry.watch(service, signal ? AbortSignal.any([signal, end]) : end)
  }

  async services(): Promise<readonly string[]> {
    this.#requireOpen()
    return this.#registry.services()
  }

  async close(): Promise<void> {
    this.#end.abort()
    await Promise.all([...this.#leases].map((lease) => lease.release()))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #requireOpen(): void {
    if (this.#end.signal.aborted) throw closedError()
  }
}
