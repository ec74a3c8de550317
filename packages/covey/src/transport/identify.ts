import type { Identity, Peer } from '../call/peer.ts'
import { CoveyError } from '../error/covey-error.ts'
import { reportFailure } from '../observe/report-failure.ts'
import type { ListenOptions } from './transport.ts'

/**
 * Asks the user's code who is at the other end. Resolves to nothing where nobody is asked.
 * @throws CoveyError with which it refuses; `INTERNAL` with an id for anything else that it throws, which goes to the log under that id
 */
export async function identify(
  { authenticate, log }: Pick<ListenOptions, 'authenticate' | 'log'>,
  credential: string | undefined,
  peer: Peer,
): Promise<Identity | undefined> {
  try {
    return await authenticate?.(credential, peer)
  } catch (error) {
    if (error instanceof CoveyError) throw error
    const { protocol, address } = peer
    throw reportFailure(error, 'authenticate', log, { protocol, address })
  }
}

/**
 * Does the same within `handshakeMs`: for transports without a handshake, which has its own limit.
 * @throws CoveyError as `identify`, and `UNAVAILABLE` when the user's code does not settle in time, which goes to the log
 */
export async function identifyInTime(
  options: Pick<ListenOptions, 'authenticate' | 'log' | 'clock' | 'limits'>,
  credential: string | undefined,
  peer: Peer,
): Promise<Identity | undefined> {
  const { handshakeMs } = options.limits
  const late = Promise.withResolvers<never>()
  const timer = options.clock.after(handshakeMs, () => {
    const error = identifiedLate(handshakeMs)
    const { protocol, address } = peer
    options.log?.error({ protocol, address }, error.message)
    late.reject(error)
  })
  try {
    return await Promise.race([identify(options, credential, peer), late.promise])
  } finally {
    timer.stop()
  }
}

/** Nobody knows who is at the other end, for `authenticate` says nothing. */
export function identifiedLate(handshakeMs: number): CoveyError {
  return new CoveyError('UNAVAILABLE', `authenticate did not answer within ${handshakeMs} ms`)
}
