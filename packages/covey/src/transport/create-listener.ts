import type { Listener } from './transport.ts'

/** What serves the connections that a listener has taken. */
export interface Served {
  /** Connections open now. */
  readonly size: number
  /** Takes no new calls but those that are served to the end. */
  goAway(): void
  /** Does what `goAway` does; resolves when no call is in flight, or when `signal` aborts. */
  drain(signal?: AbortSignal): Promise<void>
  /** Closes all connections; resolves when they are gone. */
  close(): Promise<void>
}

/**
 * A listener made of a server that takes connections and of what serves them. `drain` and `close` stop the taking, so that
 * nobody comes in behind them.
 */
export function createListener(
  address: string,
  server: { close(done: () => void): unknown },
  served: Served,
): Listener {
  let closed: Promise<void> | undefined
  const acceptNoMore = () => {
    closed ??= new Promise((resolve) => server.close(() => resolve()))
    return closed
  }
  const listener: Listener = {
    address,
    get connections() {
      return served.size
    },
    goAway: () => served.goAway(),
    async drain(signal) {
      // Said first, for a server may go on taking connections until its clients have heard it.
      served.goAway()
      void acceptNoMore()
      await served.drain(signal)
    },
    async close() {
      await Promise.all([acceptNoMore(), served.close()])
    },
    [Symbol.asyncDispose]: () => listener.close(),
  }
  return listener
}
