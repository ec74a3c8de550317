import { afterReading } from '../base/after-reading.ts'
import { CoveyError } from '../error/covey-error.ts'
import type { ConnectOptions } from './transport.ts'

/** Bounds the opening of a connection until it is stopped. */
export interface OpeningLimit {
  /** Somebody answers: from here on it is `handshakeMs` that count. */
  answered(): void
  stop(): void
}

/**
 * Bounds what a carrier does before it can carry frames: connecting, within `connectMs`, and what it has of a handshake of its
 * own, within `handshakeMs`. `signal` ends it as well.
 * @param fail told `UNAVAILABLE` with the reason, unless it is stopped before
 * @throws CoveyError `UNAVAILABLE` if it was cancelled before it began
 */
export function limitOpening(
  address: string,
  { clock, limits, signal }: Pick<ConnectOptions, 'clock' | 'limits' | 'signal'>,
  fail: (error: CoveyError) => void,
): OpeningLimit {
  const cancelled = () => unreachable(address, 'connecting was cancelled', signal?.reason)
  if (signal?.aborted) throw cancelled()
  const late = (ms: number) =>
    afterReading(clock, ms, () => fail(unreachable(address, `no answer within ${ms} ms`)))
  let timer = late(limits.connectMs)
  const onAbort = () => fail(cancelled())
  signal?.addEventListener('abort', onAbort, { once: true })
  return {
    answered() {
      timer.stop()
      timer = late(limits.handshakeMs)
    },
    stop() {
      timer.stop()
      signal?.removeEventListener('abort', onAbort)
    },
  }
}

/** There is no connection to an address, and why. */
export function unreachable(address: string, why: string, cause?: unknown): CoveyError {
  return new CoveyError('UNAVAILABLE', `${address}: ${why}`, { cause })
}
