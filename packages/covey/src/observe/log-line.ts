/** The longest line that is kept, in bytes; the rest of a longer one is counted and thrown away. */
export const maxLineBytes = 8 * 1024

/** One line that a process of the fleet wrote. */
export interface LogLine {
  /** Place among all lines since the supervisor started, from 1. */
  readonly seq: number
  /** When it was read: wall-clock time in milliseconds. */
  readonly timeMs: number
  /** Name of the process, `covey` for the supervisor itself. */
  readonly process: string
  readonly replica: number
  readonly stream: 'stdout' | 'stderr'
  /** Without its line end; control characters escaped, 8 KiB at most. */
  readonly text: string
}

/** Who wrote a line. */
export type LogSource = Pick<LogLine, 'process' | 'replica'>

/** `user-0`: how a copy of a process is called in logs, files and the console. */
export function instanceName({ process, replica }: LogSource): string {
  return `${process}-${replica}`
}

/** A line as pino writes it. */
export interface PinoRecord {
  readonly [field: string]: unknown
  readonly level: number
  readonly msg: string
}

/** The fields of a pino line, or undefined for any other line. */
export function pinoRecord(text: string): PinoRecord | undefined {
  if (!text.startsWith('{"')) return undefined
  try {
    const record: { level?: unknown; msg?: unknown } = JSON.parse(text)
    const { level, msg = '' } = record
    return typeof level === 'number' && typeof msg === 'string'
      ? { ...record, level, msg }
      : undefined
  } catch {
    return undefined
  }
}
