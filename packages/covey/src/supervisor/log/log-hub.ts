import type { Clock } from '../../base/clock.ts'
import { escapeControls } from '../../observe/escape-controls.ts'
import { instanceName, type LogLine, type LogSource } from '../../observe/log-line.ts'

/** Lines kept in memory for each copy of a process. */
export const keptLines = 1_000

/** Which lines somebody wants: those of a process, of one copy of it (`user-0`), or all. */
export type LogFilter = string | undefined

/** Who a line is for: everybody, or the log alone because the terminal is told in other words. */
export type LogAudience = 'everywhere' | 'log only'

/** Called with each new line. It must not throw. */
export type LogListener = (line: LogLine, audience: LogAudience) => void

/**
 * Where all lines of a fleet meet. It keeps the last ones of each copy and hands every line on to those
 * who listen; none of them can hold up a process.
 */
export class LogHub {
  readonly #clock: Clock
  readonly #kept = new Map<string, LogLine[]>()
  readonly #listeners = new Set<LogListener>()
  #seq = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Takes a raw line of a process. */
  append(
    source: LogSource,
    stream: LogLine['stream'],
    raw: string,
    audience: LogAudience = 'everywhere',
  ): void {
    this.#seq += 1
    const { process, replica } = source
    const text = escapeControls(raw)
    const timeMs = this.#clock.wallMs()
    const line: LogLine = { seq: this.#seq, timeMs, process, replica, stream, text }
    this.#keep(line)
    for (const listener of this.#listeners) listener(line, audience)
  }

  /** Calls `listener` with each new line until the returned function is called. */
  listen(listener: LogListener): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** The newest `count` lines that fit, oldest first. */
  tail(filter: LogFilter, count: number): LogLine[] {
    const lines: LogLine[] = []
    for (const kept of this.#kept.values()) {
      const first = kept[0]
      if (first !== undefined && matchesFilter(filter, first)) lines.push(...kept.slice(-keptLines))
    }
    return count === 0 ? [] : lines.sort((a, b) => a.seq - b.seq).slice(-count)
  }

  /** Cutting the list only now and then makes a line cost the same however many are kept. */
  #keep(line: LogLine): void {
    const name = instanceName(line)
    const kept = this.#kept.get(name)
    if (kept === undefined) this.#kept.set(name, [line])
    else if (kept.push(line) >= 2 * keptLines) kept.splice(0, kept.length - keptLines)
  }
}

/** Whether a line is among those that a filter wants. */
export function matchesFilter(filter: LogFilter, line: LogSource): boolean {
  return filter === undefined || filter === line.process || filter === instanceName(line)
}
