/** How a process stands with one service, or fixed address, that it calls. */
export interface CalleeFigures {
  /** Name of the service; of fixed addresses, these. */
  readonly service: string
  /** Calls that wait for a connection. */
  readonly waiting: number
  readonly instances: readonly CalleeInstance[]
}

/** One instance of it. */
export interface CalleeInstance {
  /** Its id; of a fixed address, the address. */
  readonly id: string
  /** `open`, `draining`, `stalled: …`, `ejected: …`, `connecting`, or why there is no connection and when the next try is. */
  readonly state: string
  /** Calls in flight. */
  readonly pending: number
  /** What its answers take, as the balancer sees it; 0 where there is nothing to compare with. */
  readonly latencyMs: number
}
