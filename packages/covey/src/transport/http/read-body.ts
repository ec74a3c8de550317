import type { IncomingMessage } from 'node:http'
import { ByteParts } from '../../base/byte-parts.ts'
import type { Clock } from '../../base/clock.ts'
import { CoveyError } from '../../error/covey-error.ts'

/** Bounds on a body. */
export interface BodyLimits {
  readonly maxBytes: number
  /** Time for the whole body, in milliseconds. */
  readonly maxMs: number
  readonly clock: Clock
}

/**
 * Reads a whole body. What is said to be too large is refused before it is read.
 * @throws CoveyError `MESSAGE_TOO_LARGE`, `DEADLINE_EXCEEDED` for one that trickles, `CANCELLED` if the sender goes
 */
export function readBody(
  message: IncomingMessage,
  { maxBytes, maxMs, clock }: BodyLimits,
): Promise<Uint8Array> {
  const said = Number(message.headers['content-length'] ?? 0)
  if (said > maxBytes) return Promise.reject(tooLarge(said, maxBytes))
  return new Promise((resolve, reject) => {
    const parts = new ByteParts()
    const settle = () => {
      timer.stop()
      message.off('data', onData).off('end', onEnd).off('close', onClose)
      // What comes late must not be an exception.
      message.on('error', () => {})
    }
    const fail = (error: CoveyError) => {
      settle()
      reject(error)
    }
    const timer = clock.after(maxMs, () => {
      fail(new CoveyError('DEADLINE_EXCEEDED', `the body was not complete within ${maxMs} ms`))
    })
    const onData = (chunk: Buffer) => {
      parts.push(chunk)
      if (parts.size > maxBytes) fail(tooLarge(parts.size, maxBytes))
    }
    const onEnd = () => {
      settle()
      resolve(parts.take())
    }
    const onClose = () => fail(new CoveyError('CANCELLED', 'the body was cut off'))
    message
      .on('data', onData)
      .on('end', onEnd)
      .on('close', onClose)
      .on('error', () => {})
  })
}

function tooLarge(bytes: number, maxBytes: number): CoveyError {
  const message = `a body of ${bytes} bytes or more; the limit is ${maxBytes}`
  return new CoveyError('MESSAGE_TOO_LARGE', message, { details: { bytes, maxBytes } })
}
