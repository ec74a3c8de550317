/** One running copy of a process that serves contracts. */
export interface Instance {
  /** Unique for ever: a new start is a new id. */
  readonly id: string
  /** Name of the application, for people. */
  readonly app: string
  /** Names of the contracts it serves. */
  readonly services: readonly string[]
  /** Where it listens, as URLs: `tcp://127.0.0.1:4100`. */
  readonly addresses: readonly string[]
  /** Relative share of calls. Default 1. */
  readonly weight: number
  /** `draining` takes no new calls. */
  readonly state: 'up' | 'draining'
  /** Wall-clock time of its start, in milliseconds. */
  readonly startedAtMs: number
}

/** A place in a registry, held for as long as its owner lives. */
export interface Lease extends AsyncDisposable {
  /** Changes what others see, for example to `draining`. */
  update(instance: Instance): Promise<void>
  /** Takes the entry away. Calling it again does nothing. */
  release(): Promise<void>
}

/**
 * Knows which instances serve what. A registry that is away fails no call: watchers keep their last
 * list, leases are taken again when it is back.
 */
export interface Registry extends AsyncDisposable {
  /** Announces an instance until the lease is released or the process is gone. */
  register(instance: Instance): Promise<Lease>
  /**
   * The instances that serve `service`: the list as it is now, then each new list after a change.
   * Ends when `signal` aborts or the registry closes.
   */
  watch(service: string, signal?: AbortSignal): AsyncIterable<readonly Instance[]>
  /** Names of all services with an instance, sorted. */
  services(): Promise<readonly string[]>
  /** Releases what this object holds. */
  close(): Promise<void>
}
