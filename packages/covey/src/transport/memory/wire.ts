import { copyValue } from '../../codec/copy-value.ts'
import { CoveyError } from '../../error/covey-error.ts'

/** An error as over a wire: the code, the message and a copy of the details travel, the cause stays. */
export function copyError(error: unknown): CoveyError {
  const { code, message, details } = CoveyError.from(error)
  try {
    return CoveyError.fromData({ code, message, details: copyValue(details) })
  } catch {
    // Its details cannot be sent; the code and the message always can.
    return CoveyError.fromData({ code, message })
  }
}
