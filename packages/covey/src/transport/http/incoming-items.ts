import type { IncomingMessage } from 'node:http'
import { ByteParts } from '../../base/byte-parts.ts'
import { CoveyError } from '../../error/covey-error.ts'
import { IncomingStream } from '../session/incoming-stream.ts'
import { jsonBody } from './body-codec.ts'
import { HttpError } from './http-error.ts'
import type { BodyLimits } from './read-body.ts'

const lineFeed = 0x0a

/** Elements that are read ahead of the handler, in bytes of their lines. */
const aheadBytes = 64 * 1024

/**
 * The elements of a body of JSON lines, in which empty lines say nothing. A handler that waits holds the sender back.
 * @param limits of one line
 */
export function lineItems(message: IncomingMessage, limits: BodyLimits): AsyncIterable<unknown> {
  const items = new IncomingStream({
    windowBytes: aheadBytes,
    // What one read brought has been cut into lines when the sender is held back.
    slackBytes: limits.maxBytes + aheadBytes,
    grant: () => {
      message.resume()
      lines.resume()
    },
    // What the handler did not want must be read all the same, for the connection to go on.
    onLeft: () => void message.resume(),
  })
  const lines = new LineSplitter(limits, (line, number) => {
    items.push(decodeLine(line, number), line.length)
  })
  const end = (error?: CoveyError) => {
    lines.stop()
    items.finish(error)
    message.off('data', onData).resume()
  }
  const attempt = (run: () => void) => {
    try {
      run()
    } catch (error) {
      end(CoveyError.from(error))
    }
  }
  const onData = (chunk: Buffer) => {
    attempt(() => lines.push(chunk))
    if (items.queuedBytes < aheadBytes / 2) return
    message.pause()
    // The sender is not to blame for what is not read.
    lines.pause()
  }
  lines.onLate = () => {
    end(new CoveyError('DEADLINE_EXCEEDED', `a line was not complete within ${limits.maxMs} ms`))
  }
  message.on('data', onData)
  message.on('end', () => {
    attempt(() => lines.end())
    end()
  })
  message.on('error', () => {})
  message.on('close', () => end(new CoveyError('CANCELLED', 'the body was cut off')))
  return items
}

function decodeLine(line: Uint8Array, number: number): unknown {
  try {
    return jsonBody.decode(line)
  } catch (error) {
    const { code, message } = CoveyError.from(error)
    throw new HttpError(new CoveyError(code, `line ${number}: ${message}`), 400)
  }
}

/** Cuts bytes into lines. */
class LineSplitter {
  onLate: () => void = () => {}
  readonly #limits: BodyLimits
  readonly #onLine: (line: Uint8Array, number: number) => void
  readonly #parts = new ByteParts()
  #number = 0
  #timer: { stop(): void } | undefined
  #over = false

  constructor(limits: BodyLimits, onLine: (line: Uint8Array, number: number) => void) {
    this.#limits = limits
    this.#onLine = onLine
  }

  push(chunk: Buffer): void {
    let start = 0
    for (;;) {
      const end = chunk.indexOf(lineFeed, start)
      if (end < 0) break
      this.#keep(chunk.subarray(start, end))
      this.#complete()
      start = end + 1
    }
    this.#keep(chunk.subarray(start))
    this.resume()
  }

  /** The last line may lack its line feed. */
  end(): void {
    this.#complete()
  }

  /** Nobody waits for the rest of a line any more. */
  stop(): void {
    this.#over = true
    this.pause()
  }

  /** The rest of a line has no limit for now: nobody reads it. */
  pause(): void {
    this.#timer?.stop()
    this.#timer = undefined
  }

  /** The rest of a line that has begun has its time from now on. */
  resume(): void {
    if (this.#parts.size === 0 || this.#over) return
    this.#timer ??= this.#limits.clock.after(this.#limits.maxMs, () => this.onLate())
  }

  #keep(part: Buffer): void {
    const { maxBytes } = this.#limits
    if (this.#parts.size + part.length > maxBytes) {
      throw new CoveyError('MESSAGE_TOO_LARGE', `a line of more than ${maxBytes} bytes`)
    }
    this.#parts.push(part)
  }

  #complete(): void {
    const line = this.#parts.take()
    this.pause()
    this.#number += 1
    if (line.length > 0 && !isBlank(line)) this.#onLine(line, this.#number)
  }
}

function isBlank(line: Uint8Array): boolean {
  return line.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d)
}
