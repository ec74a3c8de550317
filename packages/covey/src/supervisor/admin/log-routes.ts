import { PassThrough } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import type { Clock } from '../../base/clock.ts'
import { CoveyError } from '../../error/covey-error.ts'
import type { LogLine } from '../../observe/log-line.ts'
import { keptLines, type LogFilter, type LogHub, matchesFilter } from '../log/log-hub.ts'

/** What a reader of the log may miss at most before lines are dropped for it, in bytes. */
const maxWaitingBytes = 1_048_576
/** An empty line now and then shows both ends that the other is there. */
const heartbeatMs = 20_000

/** What reading the log needs. */
export interface LogRouteOptions {
  readonly hub: LogHub
  readonly clock: Clock
  /** What `process` may be: names of processes and of their copies. */
  readonly names: () => readonly string[]
}

/**
 * `GET /api/logs?process=user&lines=100&follow=true`: the newest lines, then with `follow` new ones as they come. One
 * JSON object a line; `{"dropped": n}` stands where a slow reader missed some, and empty lines mean nothing.
 */
export function addLogRoutes(app: FastifyInstance, { hub, clock, names }: LogRouteOptions): void {
  app.get<{ Querystring: Record<string, unknown> }>('/api/logs', async (request, reply) => {
    const { process, lines = '100', follow = 'false' } = request.query
    const known = names()
    if (process !== undefined && !known.some((name) => name === process)) {
      throw new CoveyError('NOT_FOUND', `there is no such process; there are ${known.join(', ')}`)
    }
    const count = typeof lines === 'string' && /^\d{1,6}$/.test(lines) ? Number(lines) : undefined
    if (count === undefined) throw new CoveyError('INVALID_INPUT', 'lines: expected a whole number')
    if (follow !== 'true' && follow !== 'false') {
      throw new CoveyError('INVALID_INPUT', 'follow: expected "true" or "false"')
    }
    const filter = process as LogFilter
    const tail = hub.tail(filter, Math.min(count, keptLines)).map(toLine).join('')
    reply.type('application/x-ndjson; charset=utf-8')
    return follow === 'true' ? liveLines(hub, clock, filter, tail) : tail
  })
}

/** Starts with `tail`; nothing comes between, for both are taken in one turn. */
function liveLines(hub: LogHub, clock: Clock, filter: LogFilter, tail: string): PassThrough {
  const stream = new PassThrough()
  let dropped = 0
  stream.write(tail || '\n')
  const send = (text: string) => {
    if (stream.writableLength > maxWaitingBytes) return false
    if (dropped > 0) stream.write(`${JSON.stringify({ dropped })}\n`)
    dropped = 0
    return stream.write(text) || true
  }
  const stop = hub.listen((line) => {
    if (matchesFilter(filter, line) && !send(toLine(line))) dropped += 1
  })
  const heartbeat = clock.every(heartbeatMs, () => send('\n'))
  stream.once('close', () => {
    stop()
    heartbeat.stop()
  })
  return stream
}

function toLine(line: LogLine): string {
  return `${JSON.stringify(line)}\n`
}
