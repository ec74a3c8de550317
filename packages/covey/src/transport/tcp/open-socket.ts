import type { Socket } from 'node:net'
import type { CoveyError } from '../../error/covey-error.ts'
import { limitOpening, unreachable } from '../limit-opening.ts'
import type { ConnectOptions } from '../transport.ts'
import { whyUnreachable } from '../why-unreachable.ts'

/** What is special about a kind of socket. */
export interface SocketOpening<S extends Socket> {
  connect(): S
  /** The event with which it can be written to. */
  readonly event: 'connect' | 'secureConnect'
  /** Looks at who has answered. @throws CoveyError if that will not do */
  check(socket: S): void
  /** What an error means, where it is more than that nobody can be reached. */
  meaning?(error: Error): CoveyError | undefined
}

/**
 * Opens a socket within the limits of time, or until `signal` aborts.
 * @throws CoveyError `UNAVAILABLE`, or what `opening` says
 */
export function openSocket<S extends Socket>(
  address: string,
  options: ConnectOptions,
  opening: SocketOpening<S>,
): Promise<S> {
  return new Promise((resolve, reject) => {
    const fail = (error: unknown) => {
      settle()
      socket.destroy()
      reject(error)
    }
    const limit = limitOpening(address, options, fail)
    const onError = (error: Error) =>
      fail(opening.meaning?.(error) ?? unreachable(address, whyUnreachable(error), error))
    const settle = () => {
      limit.stop()
      socket.off('error', onError)
    }
    const socket = opening.connect()
    socket.once('error', onError)
    if (opening.event !== 'connect') socket.once('connect', limit.answered)
    socket.once(opening.event, () => {
      try {
        opening.check(socket)
      } catch (error) {
        return fail(error)
      }
      settle()
      resolve(socket)
    })
  })
}
