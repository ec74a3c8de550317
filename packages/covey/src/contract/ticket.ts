/** Wishes about waiting for the result of a submitted call. */
export interface ResultOptions {
  /**
   * How long to wait, in milliseconds; `Infinity` for as long as it takes, 0 to ask once. Default 30,000. Less when the surrounding
   * call has less. The ticket stays good when it is over.
   */
  timeoutMs?: number
  /** Stops the waiting when it aborts; the work goes on. */
  signal?: AbortSignal
  /** Text that travels with the question. */
  metadata?: Readonly<Record<string, string>>
}

/**
 * A claim to the result of a submitted call. It outlives the connection and the caller: the token alone is enough, in any
 * process, until the result expires, 10 minutes after the work ended. Whoever has the token gets the result: keep it as you
 * would keep the result.
 */
export interface Ticket<O> {
  /** To be stored or handed on; `api.method.ticket(token)` makes a ticket of it again. */
  readonly token: string
  /**
   * Waits for the result, through broken connections. May be asked any number of times. Rejects with the error of the method, as the
   * call itself would have.
   * @throws CoveyError `DEADLINE_EXCEEDED` if it is not there in time, `RESULT_EXPIRED` if it is no longer kept (or the token
   * was never given), `RESULT_LOST` if its instance is gone or could not keep it
   */
  result(options?: ResultOptions): Promise<O>
}
