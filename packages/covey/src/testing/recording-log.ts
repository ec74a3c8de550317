import type { Log, LogFields } from '../observe/log.ts'

/** One line that was written. */
export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly fields: LogFields
  readonly message: string
}

/**
 * A log that keeps its lines for a test to look at.
 * @example
 * const log = new RecordingLog()
 * assert.deepEqual(log.messages('warn'), ['the disk is full'])
 */
export class RecordingLog implements Log {
  /** All lines, also those of children, in order. */
  readonly lines: LogLine[]
  readonly #fields: LogFields

  constructor(lines: LogLine[] = [], fields: LogFields = {}) {
    this.lines = lines
    this.#fields = fields
  }

  debug(fields: LogFields, message: string): void {
    this.#keep('debug', fields, message)
  }

  info(fields: LogFields, message: string): void {
    this.#keep('info', fields, message)
  }

  warn(fields: LogFields, message: string): void {
    this.#keep('warn', fields, message)
  }

  error(fields: LogFields, message: string): void {
    this.#keep('error', fields, message)
  }

  child(fields: LogFields): Log {
    return new RecordingLog(this.lines, { ...this.#fields, ...fields })
  }

  /** Messages of one level. */
  messages(level: LogLine['level']): string[] {
    return this.lines.filter((line) => line.level === level).map(({ message }) => message)
  }

  #keep(level: LogLine['level'], fields: LogFields, message: string): void {
    this.lines.push({ level, fields: { ...this.#fields, ...fields }, message })
  }
}
