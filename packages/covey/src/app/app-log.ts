import { type DestinationStream, pino } from 'pino'
import { currentCall } from '../call/call-storage.ts'
import type { Log } from '../observe/log.ts'

/** From which importance on lines are written. */
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent'

/** Fields that hold secrets; their values never reach a log. */
const secretFields = [
  'authorization',
  'cookie',
  'set-cookie',
  'token',
  'password',
  'secret',
  'credential',
  'ticket',
]

/**
 * The log of an application: a line of JSON for each event on standard output, with the trace of the call that
 * the code was working for. Known secret fields are masked, at the top and one level below.
 */
export function createAppLog(app: string, level: LogLevel, out?: DestinationStream): Log {
  const options = {
    level,
    base: { app },
    mixin() {
      const traceId = currentCall()?.trace.traceId
      return traceId === undefined ? {} : { traceId }
    },
    redact: { paths: secretFields.flatMap(pathsOf), censor: '[secret]' },
  }
  return out === undefined ? pino(options) : pino(options, out)
}

function pathsOf(field: string): string[] {
  const quoted = field.includes('-') ? `["${field}"]` : field
  return [quoted, field.includes('-') ? `*${quoted}` : `*.${quoted}`]
}
