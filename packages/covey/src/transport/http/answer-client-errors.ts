import {
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http'
import type { Duplex } from 'node:stream'
import type { Clock } from '../../base/clock.ts'
import { CoveyError } from '../../error/covey-error.ts'
import { toProblem } from './problem.ts'
import { mediaType } from './wire.ts'

/** Time for a client to read why it is refused, in milliseconds. */
const readMs = 500

/**
 * Answers requests that the parser of `node:http` refuses as others are refused, with a problem, and closes their connection. One on which
 * an answer has begun, or is still owed for an earlier request, is only closed: whatever were written there would be taken for that answer.
 * @param headers of every answer
 */
export function answerClientErrors(
  server: Server,
  { clock, headers = {} }: { clock: Clock; headers?: OutgoingHttpHeaders | undefined },
): void {
  const last = new WeakMap<Duplex, ServerResponse>()
  server.prependListener('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    last.set(socket, response)
  })
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    // What the client sends behind is refused again, and not read any more.
    if (!socket.writable || !mayAnswer(last.get(socket))) return void socket.destroy()
    const timer = clock.after(readMs, () => void socket.destroy())
    socket.once('close', () => timer.stop())
    socket.end(refusal(error, headers))
  })
}

function mayAnswer(last: ServerResponse | undefined): boolean {
  if (last === undefined || last.writableFinished) return true
  // One that waits behind another answer has no socket yet.
  return !last.req.complete && !last.headersSent && last.socket !== null
}

function refusal(error: NodeJS.ErrnoException, headers: OutgoingHttpHeaders): string {
  const [status, reason] = whyRefused(error)
  const body = JSON.stringify(toProblem(reason, status))
  const lines = Object.entries({
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...headers,
    'content-type': mediaType.problem,
    'content-length': Buffer.byteLength(body),
    connection: 'close',
  }).map(([name, value]) => `${name}: ${value}\r\n`)
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`
}

function whyRefused({ code = '', message }: NodeJS.ErrnoException): [number, CoveyError] {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return [408, new CoveyError('DEADLINE_EXCEEDED', 'the request was not complete in time')]
    case 'HPE_HEADER_OVERFLOW':
      return [431, new CoveyError('PROTOCOL_ERROR', 'the headers are too large')]
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return [413, new CoveyError('PROTOCOL_ERROR', 'the extensions of chunks are too large')]
    default: {
      const why = message.replace(/^Parse Error: /, '').slice(0, 200)
      return [400, new CoveyError('PROTOCOL_ERROR', `no valid HTTP: ${why}`)]
    }
  }
}
