import type { Codec } from '../../codec/codec.ts'
import type { Frame } from '../../codec/frame/frame-type.ts'
import { asCancelled } from '../../error/as-cancelled.ts'
import { CoveyError, type ErrorData } from '../../error/covey-error.ts'
import { shortErrorData } from '../../error/send-error-data.ts'

const maxCodeLength = 100
const maxMessageLength = 1_000

/** What a cancel frame says: why the caller wants the call no more. Details stay at home. */
export function reasonData(reason: CoveyError): ErrorData {
  return shortErrorData(reason, maxMessageLength)
}

/** Reads the reason of a cancel frame. One without a reason, or with one that makes no sense, cancels all the same. */
export function readReason(frame: Frame, codec: Pick<Codec, 'decode'>): CoveyError {
  const { code, message } = decodeReason(frame, codec)
  const fits = typeof code === 'string' && code.length <= maxCodeLength
  if (!fits || typeof message !== 'string' || message.length > maxMessageLength) {
    return new CoveyError('CANCELLED', 'cancelled by the caller')
  }
  return asCancelled(new CoveyError(code, message), message)
}

function decodeReason(
  frame: Frame,
  codec: Pick<Codec, 'decode'>,
): { code?: unknown; message?: unknown } {
  if (frame.start === frame.end) return {}
  try {
    return codec.decode(frame.bytes, frame.start, frame.end) ?? {}
  } catch {
    return {}
  }
}
