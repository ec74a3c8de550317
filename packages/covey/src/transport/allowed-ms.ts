import type { CallMode } from '../call/call.ts'
import type { MethodRef } from '../call/method-ref.ts'
import type { Limits } from './limits.ts'

/**
 * The time in milliseconds that a call gets which asks for `askedMs`, at the server. A unary call that somebody waits for ends: behind
 * `maxDeadlineMs`, or what its contract says if that is longer. Streams may go on for ever, and so may work that nobody waits
 * for, which is bounded by number.
 */
export function allowedMs(
  askedMs: number,
  { kind, timeoutMs = 0 }: MethodRef,
  mode: CallMode,
  { maxDeadlineMs }: Pick<Limits, 'maxDeadlineMs'>,
): number {
  if (askedMs <= maxDeadlineMs || kind !== 'unary' || mode !== 'wait') return askedMs
  return Math.min(askedMs, Math.max(maxDeadlineMs, timeoutMs))
}
