/** Plain data that goes with a line of the log. */
export type LogFields = Readonly<Record<string, unknown>>

/**
 * Where the framework writes what happens. pino fits it as it is.
 * @example log.info({ port: 8090 }, 'listening')
 */
export interface Log {
  debug(fields: LogFields, message: string): void
  info(fields: LogFields, message: string): void
  warn(fields: LogFields, message: string): void
  error(fields: LogFields, message: string): void
  /** A log whose lines all carry these fields. */
  child(fields: LogFields): Log
}

/** A log that keeps nothing. */
export const silentLog: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLog,
}
