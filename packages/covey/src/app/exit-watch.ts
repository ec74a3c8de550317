import type { Clock } from '../base/clock.ts'

/** Reasons of the outside to stop a process. */
export interface ExitWatch {
  /** Stops watching. */
  release(): void
}

const signals = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const

/** A process that still runs this long after it stopped has left something open. */
const lingerMs = 1_000

/**
 * Calls `stop` once when the process is told to end: by a signal, or because the supervisor that holds the other
 * end of its standard input is gone. The process exits with 0 afterwards; a second signal ends it at once.
 */
export function watchForExit(stop: () => Promise<void>, clock: Clock): ExitWatch {
  let asked = false
  const onExit = () => {
    if (asked) process.exit(1)
    asked = true
    stop().then(
      () => clock.after(lingerMs, () => process.exit(0)),
      () => process.exit(1),
    )
  }
  for (const signal of signals) process.on(signal, onExit)
  const supervised = process.env.COVEY_PROCESS !== undefined
  if (supervised) process.stdin.once('end', onExit).once('error', onExit).resume()
  return {
    release() {
      for (const signal of signals) process.off(signal, onExit)
      if (!supervised) return
      process.stdin.off('end', onExit).off('error', onExit).pause()
      process.stdin.unref?.()
    },
  }
}
