import { type Code, codeEntry } from './codes.ts'

/** Parts of a {@link CoveyError} beside its code and message. */
export interface CoveyErrorOptions {
  /** Plain data for programs: which rule, which inputs, when to try again. */
  details?: unknown
  /** The error behind this one. Stays in the process; it is never sent to a caller. */
  cause?: unknown
}

/** An error as it travels between processes. */
export interface ErrorData {
  readonly code: string
  readonly message: string
  readonly details?: unknown
}

/**
 * The one error of the framework. `code` is a {@link Code} or a code that a contract declares;
 * `details` is plain data; `cause` is kept but never leaves the process.
 *
 * @example
 * throw new CoveyError('NOT_FOUND', 'no conversation with id 7')
 */
export class CoveyError extends Error {
  override readonly name = 'CoveyError'
  readonly code: string
  readonly details: unknown
  /** `service.method` of the call that brought this error from elsewhere; undefined where it arose. */
  path: string | undefined
  #remote = false

  constructor(code: Code | (string & {}), message: string, options: CoveyErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.details = options.details
  }

  /** Whether it came over a connection, so that the call of which it tells had left. */
  get remote(): boolean {
    return this.#remote
  }

  /** Whether the same call may be sent again; `idempotent` is what its contract says. */
  retryable(idempotent: boolean): boolean {
    const { retry } = codeEntry(this.code)
    return retry === 'always' || (retry === 'idempotent' && idempotent)
  }

  /** What a caller may see. */
  toData(): ErrorData {
    const { code, message, details } = this
    return details === undefined ? { code, message } : { code, message, details }
  }

  /**
   * Turns anything that was thrown into a CoveyError. An unknown error becomes `INTERNAL` with a
   * general message, so that nothing of the inside is shown to a caller; it is kept as `cause`.
   */
  static from(thrown: unknown): CoveyError {
    if (thrown instanceof CoveyError) return thrown
    return new CoveyError('INTERNAL', 'the service failed', { cause: thrown })
  }

  /** Rebuilds an error that came over the wire. */
  static fromData(data: ErrorData): CoveyError {
    const error = new CoveyError(data.code, data.message, { details: data.details })
    error.#remote = true
    return error
  }
}
