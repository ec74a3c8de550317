import { CoveyError } from '../../error/covey-error.ts'

/** An error that HTTP has a more exact status for than the table of codes. */
export class HttpError extends CoveyError {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>

  constructor(error: CoveyError, status: number, headers: Readonly<Record<string, string>> = {}) {
    super(error.code, error.message, { details: error.details, cause: error })
    this.status = status
    this.headers = headers
  }
}
