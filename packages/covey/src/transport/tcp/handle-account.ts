import { readdirSync, readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import type { Log } from '../../observe/log.ts'

/** File handles that are kept for files and for connections to others: a fifth of those that are free, but no more than this. */
const maxReserve = 64

/** Time between two looks at the open handles: so many milliseconds, … */
const measureMs = 10
/** … or one for so many handles, for the look itself takes about 0.4 ms for each thousand. */
const handlesPerMs = 10

/** Time between two lines of the log, whichever listener they are about, in milliseconds. */
const quietMs = 60_000

/** What the system says of the file handles of this process; undefined where it does not say. */
export interface Handles {
  readonly max: number
  readonly open: number
}

/**
 * The file handles of a process, which all of its listeners share with its files and with its connections to others. They are
 * counted by the system, at times; in between by what was accepted and closed.
 */
export class HandleAccount {
  readonly #measure: () => Handles | undefined
  /** Handles that may be open before connections are refused. */
  #most = 0
  #open = 0
  #measuredMs = Number.NEGATIVE_INFINITY
  #warnedMs = Number.NEGATIVE_INFINITY
  /** A method for all sockets: an idle connection should hold little. */
  readonly #closed = () => {
    this.#open -= 1
  }

  /** @param measure asks the system */
  constructor(measure: () => Handles | undefined) {
    this.#measure = measure
  }

  /** Handles that may be open before connections are refused; `Infinity` where nobody knows. */
  get most(): number {
    return this.#most
  }

  /** Whether a connection that was just accepted may stay. */
  admits(socket: Socket, nowMs: number): boolean {
    const everyMs = Math.max(measureMs, this.#open / handlesPerMs)
    // Listeners may have clocks of their own.
    if (Math.abs(nowMs - this.#measuredMs) >= everyMs) this.#count(nowMs)
    else this.#open += 1
    if (this.#open > this.#most) {
      // It is closed at once.
      this.#open -= 1
      return false
    }
    socket.on('close', this.#closed)
    return true
  }

  /** Says that connections are refused for want of handles, once a minute for the whole process. */
  warn(log: Log | undefined, nowMs: number): void {
    if (Math.abs(nowMs - this.#warnedMs) < quietMs) return
    this.#warnedMs = nowMs
    const message =
      'connections are refused: too many are open for the file handles of this process'
    log?.warn({ open: this.#open, most: this.#most }, message)
  }

  #count(nowMs: number): void {
    const handles = this.#measure()
    this.#measuredMs = nowMs
    this.#open = handles?.open ?? 0
    if (this.#most > 0) return
    const spare = (handles?.max ?? Number.POSITIVE_INFINITY) - this.#open
    this.#most = this.#open + Math.max(1, Math.floor(spare - Math.min(maxReserve, spare / 5)))
  }
}

/** By what Linux says; elsewhere nobody knows. */
function ofThisProcess(): Handles | undefined {
  maxHandles ??= readMaxHandles()
  if (!Number.isFinite(maxHandles)) return undefined
  try {
    // One of them is that of the folder that is read.
    return { max: maxHandles, open: readdirSync('/proc/self/fd').length - 1 }
  } catch {
    // There is none left to read it with.
    return { max: maxHandles, open: maxHandles }
  }
}

/** Node asks for as many as it may have when it starts, and so it stays. */
let maxHandles: number | undefined

function readMaxHandles(): number {
  try {
    const line = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))
    return line === null ? Number.POSITIVE_INFINITY : Number(line[1])
  } catch {
    return Number.POSITIVE_INFINITY
  }
}

/** That of this process. The system counts handles by process, so there is one account, whoever listens. */
export const processHandles = new HandleAccount(ofThisProcess)
