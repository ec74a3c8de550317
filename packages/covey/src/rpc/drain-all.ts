import type { Listener } from '../transport/transport.ts'
import type { AcceptedWork } from './accepted-work.ts'

/**
 * Takes no new calls from now on, and lets what runs end: calls that somebody waits for, and accepted work, whose results can be
 * collected meanwhile. When `limit` aborts, accepted work is broken off; those who wait for it are told.
 */
export async function drainAll(
  listeners: readonly Pick<Listener, 'goAway' | 'drain'>[],
  work: AcceptedWork,
  limit: AbortSignal,
): Promise<void> {
  for (const listener of listeners) listener.goAway()
  await work.drain(limit)
  await work.close()
  await Promise.all(listeners.map((listener) => listener.drain(limit)))
}
