import { type Clock, systemClock, type Timer } from '../base/clock.ts'
import { type Log, silentLog } from '../observe/log.ts'
import { checkInstance } from './check-instance.ts'
import { FileDirectory } from './file-directory.ts'
import { FileLease } from './file-lease.ts'
import { FileScanner } from './file-scanner.ts'
import { InstanceFeed } from './instance-feed.ts'
import { closedError, takenError } from './lease-errors.ts'
import { currentProcess, type ProcessIdentity } from './process-identity.ts'
import type { Instance, Lease, Registry } from './registry.ts'

/** Settings of a {@link FileRegistry}. */
export interface FileRegistryOptions {
  /** Default `.covey/registry` in the current directory. It is made when the first instance is registered. */
  readonly directory?: string
  /** Told of entries that are skipped and of what cannot be read or written. Default: nobody. */
  readonly log?: Log
  readonly clock?: Clock
  /** Time between two beats of an entry, in milliseconds. Default 500. */
  readonly beatMs?: number
  /** Silence after which an entry counts as gone, in milliseconds. Default 2,000. */
  readonly staleMs?: number
  /** Time between two looks at the directory, in milliseconds. Default 500. */
  readonly pollMs?: number
}

/**
 * A registry for several processes of one machine that needs no server: a directory with one small file for each
 * instance. A process that ends, is killed or hangs vanishes from all lists within 3 s.
 *
 * @example
 * await using registry = new FileRegistry({ directory: '.covey/registry' })
 * const lease = await registry.register(instance)
 */
export class FileRegistry implements Registry {
  readonly #directory: FileDirectory
  readonly #self: ProcessIdentity = currentProcess()
  readonly #log: Log
  readonly #clock: Clock
  readonly #beatMs: number
  readonly #scanner: FileScanner
  readonly #feed: InstanceFeed
  readonly #leases = new Map<string, FileLease>()
  #beat: Timer | undefined
  #closed = false

  constructor(options: FileRegistryOptions = {}) {
    const { directory = '.covey/registry', log = silentLog, clock = systemClock } = options
    const { beatMs = 500, staleMs = 2_000, pollMs = 500 } = options
    this.#directory = new FileDirectory(directory, log)
    this.#log = log
    this.#clock = clock
    this.#beatMs = beatMs
    this.#scanner = new FileScanner({
      directory: this.#directory,
      self: this.#self,
      clock,
      log,
      staleMs,
      pollMs,
      found: (instances) => this.#feed.set(instances),
    })
    this.#feed = new InstanceFeed({
      wanted: () => {
        this.#feed.forget()
        this.#scanner.start()
      },
      unwanted: () => void this.#scanner.stop(),
    })
  }

  /** @throws CoveyError `INVALID_INPUT`, `ALREADY_EXISTS`, `START_FAILED` if the directory cannot be written to */
  async register(instance: Instance): Promise<Lease> {
    const checked = checkInstance(instance)
    const { id } = checked
    if (this.#closed) throw closedError()
    if (this.#leases.has(id)) throw takenError(id)
    const lease = new FileLease(checked, {
      directory: this.#directory,
      holder: this.#self,
      clock: this.#clock,
      log: this.#log,
      released: () => this.#forget(id),
    })
    this.#leases.set(id, lease)
    try {
      await lease.take()
    } catch (error) {
      this.#forget(id)
      throw error
    }
    if (this.#closed) throw closedError()
    this.#beat ??= this.#clock.every(this.#beatMs, () => this.#beatAll())
    return lease
  }

  watch(service: string, signal?: AbortSignal): AsyncIterable<readonly Instance[]> {
    return this.#feed.watch(service, signal)
  }

  async services(): Promise<readonly string[]> {
    if (this.#closed) throw closedError()
    await this.#scanner.look()
    return this.#feed.services()
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#feed.close()
    await Promise.all([...this.#leases.values()].map((lease) => lease.release()))
    await this.#scanner.stop()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #beatAll(): void {
    for (const lease of this.#leases.values()) void lease.beat()
  }

  #forget(id: string): void {
    this.#leases.delete(id)
    if (this.#leases.size > 0) return
    this.#beat?.stop()
    this.#beat = undefined
  }
}
