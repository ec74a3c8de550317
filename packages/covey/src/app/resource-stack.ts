import { CoveyError } from '../error/covey-error.ts'
import { reasonOf } from '../error/reason-of.ts'
import type { Log } from '../observe/log.ts'
import type { AppContext, Resource } from './app-context.ts'

/** Resources that run, the newest on top. */
export class ResourceStack {
  readonly #log: Log
  readonly #values = new Map<unknown, unknown>()
  readonly #stops: { name: string; stop: () => void | Promise<void> }[] = []

  constructor(log: Log) {
    this.#log = log
  }

  /** Opens a resource. @throws CoveyError `START_FAILED` naming it, or the CoveyError it threw */
  async start(resource: Resource, context: AppContext): Promise<void> {
    try {
      const value = await resource.start(context)
      this.#values.set(resource, value)
      this.push(resource.name, () => resource.stop(value))
    } catch (cause) {
      if (cause instanceof CoveyError) throw cause
      const message = `resource "${resource.name}": ${reasonOf(cause)}`
      throw new CoveyError('START_FAILED', message, { cause })
    }
  }

  /** Adds something that is to be stopped in its turn. */
  push(name: string, stop: () => void | Promise<void>): void {
    this.#stops.push({ name, stop })
  }

  get<T>(resource: Resource<T>): T {
    if (this.#values.has(resource)) return this.#values.get(resource) as T
    throw new CoveyError(
      'START_FAILED',
      `resource "${resource.name}" is not started: list it in "resources", before what uses it`,
    )
  }

  /** Stops everything, the last started first. One that fails does not keep the others. */
  async stopAll(): Promise<void> {
    for (let top = this.#stops.pop(); top !== undefined; top = this.#stops.pop()) {
      try {
        await top.stop()
      } catch (err) {
        this.#log.error({ err, resource: top.name }, `"${top.name}" did not stop well`)
      }
    }
  }
}
