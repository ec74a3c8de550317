import { maxLineBytes } from '../../observe/log-line.ts'

const newline = 0x0a

/**
 * Cuts the bytes that a process writes into lines. It holds no more than one line of `maxLineBytes`,
 * however long the process writes without a line end.
 */
export class LineSplitter {
  readonly #onLine: (text: string) => void
  #parts: Buffer[] = []
  #heldBytes = 0
  #cutBytes = 0

  constructor(onLine: (text: string) => void) {
    this.#onLine = onLine
  }

  push(chunk: Buffer): void {
    let start = 0
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, start)) {
      this.#hold(chunk.subarray(start, end))
      this.#emit()
      start = end + 1
    }
    this.#hold(chunk.subarray(start))
  }

  /** Gives out a last line that has no line end. */
  end(): void {
    if (this.#heldBytes > 0) this.#emit()
  }

  #hold(bytes: Buffer): void {
    const kept = bytes.subarray(0, maxLineBytes - this.#heldBytes)
    if (kept.length > 0) this.#parts.push(kept)
    this.#heldBytes += kept.length
    this.#cutBytes += bytes.length - kept.length
  }

  #emit(): void {
    const text = Buffer.concat(this.#parts).toString('utf8')
    const cutBytes = this.#cutBytes
    this.#parts = []
    this.#heldBytes = 0
    this.#cutBytes = 0
    if (cutBytes === 0) this.#onLine(text.endsWith('\r') ? text.slice(0, -1) : text)
    else this.#onLine(`${text.replace(/\uFFFD+$/, '')}… (${cutBytes} more bytes)`)
  }
}
