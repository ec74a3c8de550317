import type { ErrorData } from './covey-error.ts'
import { shortText } from './short-text.ts'

const maxCodeLength = 100

/**
 * What is left of a message when more of it cannot be sent, in UTF-16 units. The last one fits into the smallest frame that a peer may
 * ask for (1,024 bytes, a seal included) with a code of 100 units, also where JSON needs six bytes for each of them.
 */
const messageLengths = [4_096, 1_024, 256, 32]

/**
 * Sends an error, whatever it holds: as it is, or, if `send` throws, without its details and with less and less of its message.
 * An error is the last that is said of a call, so nothing is left to be told when it cannot be said.
 * @throws what `send` throws of a code and 32 units of text, which is not the fault of the error
 */
export function sendErrorData<T>(error: ErrorData, send: (data: ErrorData) => T): T {
  try {
    return send(error)
  } catch (thrown) {
    let failure = thrown
    for (const length of messageLengths) {
      try {
        return send(shortErrorData(error, length))
      } catch (again) {
        failure = again
      }
    }
    throw failure
  }
}

/** An error without its details, cut to what every codec can write. Does not throw for one that programs have tampered with. */
export function shortErrorData({ code, message }: ErrorData, maxLength: number): ErrorData {
  return {
    code: typeof code === 'string' ? shortText(code, maxCodeLength) : 'INTERNAL',
    message: shortText(String(message), maxLength),
  }
}
