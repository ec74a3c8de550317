import { constants } from 'node:fs'
import { type FileHandle, open, rename } from 'node:fs/promises'
import { type LogLine, pinoRecord } from '../../observe/log-line.ts'

/** Limits of a log file. */
export interface LogFileOptions {
  /** Absolute path of the file that is written now; older ones are `<path>.1`, `<path>.2`. */
  readonly path: string
  /** Size at which a new file is begun. Default 10 MB. */
  readonly maxBytes?: number
  /** Files kept, the current one included. Default 3. */
  readonly keptFiles?: number
  /** Bytes that may wait for the disk; lines beyond are dropped. Default 1 MiB. */
  readonly maxWaitingBytes?: number
  /** Told when the disk refuses; once for each series of failures. */
  readonly onError: (error: Error) => void
}

/**
 * Writes the lines of one process to files that rotate. Every line of a file is a JSON object: pino's own, or
 * `{ level, time, stream, msg }` around any other text. A slow or full disk costs lines, never time.
 */
export class LogFile {
  readonly #path: string
  readonly #maxBytes: number
  readonly #keptFiles: number
  readonly #maxWaitingBytes: number
  readonly #onError: (error: Error) => void
  #waiting: string[] = []
  #waitingBytes = 0
  #dropped = 0
  #file: { handle: FileHandle; bytes: number } | undefined
  #writing: Promise<void> | undefined
  #failing = false

  constructor(options: LogFileOptions) {
    this.#path = options.path
    this.#maxBytes = options.maxBytes ?? 10_000_000
    this.#keptFiles = options.keptFiles ?? 3
    this.#maxWaitingBytes = options.maxWaitingBytes ?? 1_048_576
    this.#onError = options.onError
  }

  /** Takes a line; it reaches the disk soon. */
  append(line: LogLine): void {
    const text = fileLine(line)
    const bytes = Buffer.byteLength(text)
    if (this.#waitingBytes + bytes > this.#maxWaitingBytes) {
      this.#dropped += 1
      return
    }
    this.#waiting.push(text)
    this.#waitingBytes += bytes
    this.#writing ??= this.#writeAll()
  }

  /** Writes what waits and closes the file. A later line opens it again. */
  async close(): Promise<void> {
    await this.#writing
    await this.#file?.handle.close().catch(this.#onError)
    this.#file = undefined
  }

  /** Never rejects: a failure is reported, its lines count as dropped, and the next try opens the file anew. */
  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const lines = this.#waiting
      const bytes = this.#waitingBytes
      const dropped = this.#dropped
      this.#waiting = []
      this.#dropped = 0
      try {
        await this.#write(droppedNote(dropped) + lines.join(''))
        this.#failing = false
      } catch (error) {
        this.#dropped += dropped + lines.length
        await this.#reopenLater(error as Error)
      }
      this.#waitingBytes -= bytes
    }
    this.#writing = undefined
  }

  async #write(text: string): Promise<void> {
    const bytes = Buffer.byteLength(text)
    this.#file ??= await openLog(this.#path)
    if (this.#file.bytes > 0 && this.#file.bytes + bytes > this.#maxBytes) {
      await this.#rotate(this.#file.handle)
      this.#file = await openLog(this.#path)
    }
    await this.#file.handle.appendFile(text)
    this.#file.bytes += bytes
  }

  async #rotate(handle: FileHandle): Promise<void> {
    this.#file = undefined
    await handle.close()
    const name = (age: number) => (age === 0 ? this.#path : `${this.#path}.${age}`)
    for (let age = this.#keptFiles - 1; age > 0; age--) {
      await rename(name(age - 1), name(age)).catch(ignoreMissing)
    }
  }

  async #reopenLater(error: Error): Promise<void> {
    const file = this.#file
    this.#file = undefined
    await file?.handle.close().catch(() => {})
    if (!this.#failing) this.#onError(error)
    this.#failing = true
  }
}

function droppedNote(dropped: number): string {
  if (dropped === 0) return ''
  const msg = `${dropped} lines dropped: the disk was too slow or full`
  return `${JSON.stringify({ level: 40, msg })}\n`
}

function fileLine({ text, timeMs, stream }: LogLine): string {
  if (pinoRecord(text) !== undefined) return `${text}\n`
  const level = stream === 'stderr' ? 50 : 30
  return `${JSON.stringify({ level, time: timeMs, stream, msg: text })}\n`
}

/** Refuses a symbolic link in place of the log, so that nobody can make us write elsewhere. */
async function openLog(path: string): Promise<{ handle: FileHandle; bytes: number }> {
  const { O_APPEND, O_CREAT, O_WRONLY, O_NOFOLLOW } = constants
  const handle = await open(path, O_APPEND | O_CREAT | O_WRONLY | O_NOFOLLOW, 0o600)
  return { handle, bytes: (await handle.stat()).size }
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error
}
