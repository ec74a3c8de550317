import { CoveyError } from './covey-error.ts'

/** The error that a peer has sent; `PROTOCOL_ERROR` in the place of what is none. */
export function readErrorData(data: unknown): CoveyError {
  if (typeof data === 'object' && data !== null) {
    const { code, message, details } = data as Record<string, unknown>
    if (typeof code === 'string' && typeof message === 'string') {
      return CoveyError.fromData({ code, message, details })
    }
  }
  const message = 'the call failed, and its error is malformed: no code and message'
  return CoveyError.fromData({ code: 'PROTOCOL_ERROR', message })
}
