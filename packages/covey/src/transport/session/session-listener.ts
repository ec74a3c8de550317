import type { Listener } from '../transport.ts'
import type { SessionSet } from './session-set.ts'

/** A listener made of a server that takes connections and the sessions that serve them. */
export function sessionListener(
  address: string,
  server: { close(done: () => void): unknown },
  sessions: SessionSet,
): Listener {
  let closed: Promise<void> | undefined
  const acceptNoMore = () => {
    closed ??= new Promise((resolve) => server.close(() => resolve()))
    return closed
  }
  const listener: Listener = {
    address,
    get connections() {
      return sessions.size
    },
    async drain(signal) {
      void acceptNoMore()
      await sessions.drain(signal)
    },
    async close() {
      await Promise.all([acceptNoMore(), sessions.close()])
    },
    [Symbol.asyncDispose]: () => listener.close(),
  }
  return listener
}
