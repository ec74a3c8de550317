import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../observe/log.ts'

/** A certificate that ends sooner than this ends soon, in milliseconds: one day. */
const soonMs = 24 * 3_600_000

/** That one has ended is told again after so long, in milliseconds. */
const againMs = 3_600_000

/** Tells the log that the certificate in use ends within a day, once, and that it has ended, every hour. */
export class EndWarning {
  readonly #clock: Clock
  readonly #log: Log
  /** The certificate that was told to end soon, by its end. */
  #soon: number | undefined
  #endedToldMs = Number.NEGATIVE_INFINITY

  constructor(clock: Clock, log: Log) {
    this.#clock = clock
    this.#log = log
  }

  /** To be asked now and then: certificates end by the clock of the wall, which may be set. */
  look(end: Date): void {
    const leftMs = end.getTime() - this.#clock.wallMs()
    const notAfter = end.toISOString()
    if (leftMs <= 0) return this.#tellEnded(notAfter)
    this.#endedToldMs = Number.NEGATIVE_INFINITY
    if (leftMs > soonMs || this.#soon === end.getTime()) return
    this.#soon = end.getTime()
    this.#log.warn({ notAfter }, 'the TLS certificate ends soon')
  }

  #tellEnded(notAfter: string): void {
    const nowMs = this.#clock.monotonicMs()
    if (nowMs - this.#endedToldMs < againMs) return
    this.#endedToldMs = nowMs
    const message =
      'the TLS certificate has ended: new connections are refused until its files are replaced'
    this.#log.error({ notAfter }, message)
  }
}
