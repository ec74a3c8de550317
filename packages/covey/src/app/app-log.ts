import { type DestinationStream, pino } from 'pino'
import { currentCall } from '../call/call-storage.ts'
import type { Log } from '../observe/log.ts'
import { instanceName } from '../observe/log-line.ts'
import { createRenderer, wantsColor } from '../observe/render-line.ts'

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
 * The log of an application: a line of JSON for each event on standard output, with the trace of the call that the code
 * was working for; in a terminal, where a person reads it, as text. Known secret fields are masked, at the top and one level below.
 */
export function createAppLog(
  app: string,
  level: LogLevel,
  out: DestinationStream | undefined = terminal(app),
): Log {
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

/** Standard output as a terminal shows it, or undefined when it is none. */
function terminal(app: string): DestinationStream | undefined {
  const { isTTY } = process.stdout
  if (!isTTY) return undefined
  const source = { process: app, replica: 0 }
  const names = new Map([[instanceName(source), app]])
  const render = createRenderer({ color: wantsColor(process.env, isTTY), names })
  return {
    write(text) {
      const line = { ...source, seq: 0, timeMs: 0, stream: 'stdout' as const, text: text.trimEnd() }
      process.stdout.write(render(line))
    },
  }
}

function pathsOf(field: string): string[] {
  const quoted = field.includes('-') ? `["${field}"]` : field
  return [quoted, field.includes('-') ? `*${quoted}` : `*.${quoted}`]
}
