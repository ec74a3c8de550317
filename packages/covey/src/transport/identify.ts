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
