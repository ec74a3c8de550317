import type { Clock, Timer } from './clock.ts'

/**
 * Runs something after `delayMs`, and not before what has arrived meanwhile was read: for limits on answers. A process that was
 * held up finds limits that are over and, unread, answers that were in time; an event loop runs its timers first.
 */
export function afterReading(clock: Clock, delayMs: number, run: () => void): Timer {
  let timer = clock.after(delayMs, () => {
    // A timer that is started by a timer runs in the next round, behind the sockets of this one.
    timer = clock.after(0, run)
  })
  return { stop: () => timer.stop() }
}
