import type { Clock } from '../base/clock.ts'
import type { Log, LogFields } from './log.ts'

/**
 * A warning that others can cause as often as they like: it is written at most once in `quietMs`, then with `times`, how
 * often it was meant since the line before.
 */
export function rareWarning(
  log: Log | undefined,
  clock: Clock,
  quietMs: number,
): (fields: LogFields, message: string) => void {
  let times = 0
  let saidMs = Number.NEGATIVE_INFINITY
  return (fields, message) => {
    times += 1
    const now = clock.monotonicMs()
    if (now - saidMs < quietMs) return
    log?.warn({ ...fields, times }, message)
    saidMs = now
    times = 0
  }
}
