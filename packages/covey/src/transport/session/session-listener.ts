import { CoveyError } from '../../error/covey-error.ts'
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

/** Why a server could not listen at an address. */
export function listenError(address: string, cause: Error & { code?: string }): CoveyError {
  if (cause.code !== 'EADDRINUSE') {
    return new CoveyError('START_FAILED', `${address}: ${cause.message}`, { cause })
  }
  const fix = 'stop that process, or set another port'
  return new CoveyError('ADDRESS_IN_USE', `${address} is in use by another process: ${fix}`, {
    cause,
  })
}
