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
  /** The set of instances it belongs to, for callers who ask for one: `canary`. */
  readonly group?: string
  /** What it runs: `2.1.0`. Callers ask for all of it or for the parts before a dot: `2`, `2.1`. */
  readonly version?: string
  /** Where it runs: `eu-west-1a`. */
  readonly zone?: string
  /** What else tells it apart: `gpu`, `tenant:acme`. */
  readonly tags?: readonly string[]
  /** `draining` takes no new calls. */
  readonly state: 'up' | 'draining'
  /** Wall-clock time of its start, in milliseconds. */
  readonly startedAtMs: number
}

/** A place in a registry, held for as long as its owner lives. */
export interface Lease extends AsyncDisposable {
  /**
   * Changes what others see, for example to `draining`. While the registry is away the change waits for its return.
   * @throws CoveyError `INVALID_INPUT` if it is no instance or has another id, `FAILED_PRECONDITION` after the release
   */
  update(instance: Instance): Promise<void>
  /** Takes the entry away. Calling it again does nothing. */
  release(): Promise<void>
}

/**
 * Knows which instances serve what. A registry that is away fails no call: watchers keep their last
 * list, leases are taken again when it is back.
 */
export interface Registry extends AsyncDisposable {
  /**
   * Announces an instance until the lease is released, the registry is closed or the process is gone.
   * @throws CoveyError `INVALID_INPUT`, `ALREADY_EXISTS` if its id has a lease, `FAILED_PRECONDITION` after `close`
   */
  register(instance: Instance): Promise<Lease>
  /**
   * The instances that serve `service`, ordered by id: the list as it is now, then each list that differs from the one
   * before. A slow reader gets only the newest. Ends when `signal` aborts or the registry closes.
   */
  watch(service: string, signal?: AbortSignal): AsyncIterable<readonly Instance[]>
  /** Names of all services with an instance, sorted. @throws CoveyError `FAILED_PRECONDITION` after `close` */
  services(): Promise<readonly string[]>
  /** Releases the leases of this object and ends its watches. Calling it again does nothing. */
  close(): Promise<void>
}
