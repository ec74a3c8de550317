import type { Clock, Timer } from '../base/clock.ts'
import { CoveyError } from '../error/covey-error.ts'
import type { ResultStore } from './result-store.ts'

/** Bounds on the results that an instance keeps. */
export interface ResultLimits {
  /** How long a result waits after the work has ended, in milliseconds. Default 600,000. */
  readonly keepMs: number
  /** Results kept and to be expected. Default 10,000. */
  readonly maxCount: number
  /** Bytes of all results. Default 64 MiB. */
  readonly maxBytes: number
  /** Bytes of one result: it has to fit into one message. Default 4 MiB less 1 KiB. */
  readonly maxBytesEach: number
}

/** Room that the answer needs around a result, in bytes: what is kept has to fit into one frame. */
export const resultHeadBytes = 1024

/** Source of the numbers: `docs/rpc.md`. */
export const defaultResultLimits: ResultLimits = Object.freeze({
  keepMs: 600_000,
  maxCount: 10_000,
  maxBytes: 64 * 1024 * 1024,
  maxBytesEach: 4 * 1024 * 1024 - resultHeadBytes,
})

/** An outcome of this size is always kept: it says at least what became of a call. `maxCount` bounds how many there are. */
const smallBytes = 1024

interface Kept {
  readonly outcome: Uint8Array
  readonly untilMs: number
}

/**
 * Keeps results in memory. When it is full, those that were collected go first, the oldest ahead; one that nobody has
 * asked for is never dropped before its time: new calls are refused instead.
 */
export class MemoryResultStore implements ResultStore {
  readonly #clock: Clock
  readonly #limits: ResultLimits
  /** In the order of their end: all are kept for the same time. */
  readonly #kept = new Map<string, Kept>()
  readonly #collected = new Set<string>()
  #bytes = 0
  #timer: Timer | undefined

  constructor(clock: Clock, limits: Partial<ResultLimits> = {}) {
    this.#clock = clock
    const { maxBytesEach, ...rest } = { ...defaultResultLimits, ...limits }
    this.#limits = Object.freeze({ ...rest, maxBytesEach: Math.max(smallBytes, maxBytesEach) })
  }

  /** Results kept now. */
  get size(): number {
    return this.#kept.size
  }

  /** Their bytes. */
  get bytes(): number {
    return this.#bytes
  }

  makeRoom(running: number): void {
    const { maxCount, maxBytes } = this.#limits
    const full = () => this.#kept.size + running >= maxCount || this.#bytes >= maxBytes
    while (full() && this.#dropCollected());
    if (!full()) return
    const kept = `${this.#kept.size} results of ${this.#bytes} bytes wait to be collected here`
    const message = `${kept}, and ${running} calls run; the call was not run`
    const retryAfterMs = Math.ceil(this.#nextEndMs() ?? 1_000)
    throw new CoveyError('RESOURCE_EXHAUSTED', message, {
      details: { limit: 'results', maxCount, maxBytes, retryAfterMs },
    })
  }

  async save(token: string, outcome: Uint8Array): Promise<void> {
    const { keepMs, maxBytes, maxBytesEach } = this.#limits
    const { length } = outcome
    if (length > maxBytesEach) {
      const message = `the call ran, but its result of ${length} bytes is over the ${maxBytesEach} that are kept`
      throw new CoveyError('RESULT_LOST', message, { details: { bytes: length, maxBytesEach } })
    }
    while (this.#bytes + length > maxBytes && this.#dropCollected());
    if (this.#bytes + length > maxBytes && length > smallBytes) {
      const message = `the call ran, but the results that wait here leave no room for its ${length} bytes`
      throw new CoveyError('RESULT_LOST', message, { details: { bytes: length, maxBytes } })
    }
    this.#kept.set(token, { outcome, untilMs: this.#clock.monotonicMs() + keepMs })
    this.#bytes += length
    this.#timer ??= this.#clock.after(keepMs, () => this.#expire())
  }

  async find(tokens: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    return tokens.map((token) => {
      const kept = this.#kept.get(token)
      if (kept === undefined || kept.untilMs <= this.#clock.monotonicMs()) return undefined
      return kept.outcome
    })
  }

  collected(tokens: readonly string[]): void {
    for (const token of tokens) if (this.#kept.has(token)) this.#collected.add(token)
  }

  close(): number {
    const lost = this.#kept.size - this.#collected.size
    this.#timer?.stop()
    this.#timer = undefined
    this.#kept.clear()
    this.#collected.clear()
    this.#bytes = 0
    return lost
  }

  #dropCollected(): boolean {
    for (const token of this.#collected) {
      this.#drop(token)
      return true
    }
    return false
  }

  #drop(token: string): void {
    this.#bytes -= this.#kept.get(token)?.outcome.length ?? 0
    this.#kept.delete(token)
    this.#collected.delete(token)
  }

  /** Milliseconds until the oldest expires. */
  #nextEndMs(): number | undefined {
    for (const { untilMs } of this.#kept.values()) return untilMs - this.#clock.monotonicMs()
    return undefined
  }

  #expire(): void {
    const now = this.#clock.monotonicMs()
    for (const [token, { untilMs }] of this.#kept) {
      if (untilMs > now) break
      this.#drop(token)
    }
    const nextMs = this.#nextEndMs()
    this.#timer = nextMs === undefined ? undefined : this.#clock.after(nextMs, () => this.#expire())
  }
}
