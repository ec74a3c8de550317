import { CoveyError } from '../../error/covey-error.ts'

/**
 * A copy of a value, so that neither side sees what the other does to it later. It carries what MessagePack
 * carries and refuses what that refuses.
 * @throws CoveyError `UNENCODABLE`
 */
export function copyValue(value: unknown): unknown {
  // Cloning would copy all of the memory that a view looks into.
  if (value instanceof Uint8Array) return new Uint8Array(value)
  if (typeof value !== 'object' || value === null) {
    if (typeof value === 'function' || typeof value === 'symbol') {
      throw new CoveyError('UNENCODABLE', `a ${typeof value} cannot be sent`)
    }
    return value
  }
  try {
    return structuredClone(value)
  } catch (cause) {
    throw new CoveyError('UNENCODABLE', (cause as Error).message, { cause })
  }
}

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
