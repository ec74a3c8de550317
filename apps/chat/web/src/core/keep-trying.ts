import { type Clock, CoveyError, createBackoff, sleep } from 'covey/client'
import { retryAfterMs } from './error-text.ts'

/** How {@link keepTrying} goes on. */
export interface KeepTryingOptions {
  readonly clock: Clock
  /** Ends the tries; the promise then rejects with its reason. */
  readonly signal: AbortSignal
  /** Source of jitter, numbers in [0, 1). */
  readonly random: () => number
  /** Codes that are worth another try beside those of the code table. Default none. */
  readonly alsoRetry?: readonly string[]
  /** Told `true` when the server could not do it and another try follows, `false` when it answered. */
  readonly onTrouble?: (failing: boolean) => void
}

/**
 * Runs `work` until it succeeds. Errors that may heal are followed by another try after a jittered
 * wait of up to 200 ms, doubling to 10 s, and never less than the server asked for.
 * @throws CoveyError that does not heal, or the reason of `signal`
 */
export async function keepTrying<T>(
  work: () => Promise<T>,
  options: KeepTryingOptions,
): Promise<T> {
  const { clock, signal, random, alsoRetry = [], onTrouble = () => {} } = options
  const backoff = createBackoff({ baseMs: 200, maxMs: 10_000, minMs: 50, random })
  for (;;) {
    signal.throwIfAborted()
    try {
      const result = await work()
      onTrouble(false)
      return result
    } catch (thrown) {
      signal.throwIfAborted()
      const error = CoveyError.from(thrown)
      if (!error.retryable(true) && !alsoRetry.includes(error.code)) {
        onTrouble(false)
        throw error
      }
      onTrouble(error.retryable(true))
      await sleep(Math.max(backoff.next(), retryAfterMs(error)), signal, clock)
    }
  }
}
