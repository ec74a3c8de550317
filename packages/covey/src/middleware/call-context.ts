import type { Call } from '../call/call.ts'
import { runInCall } from '../call/call-storage.ts'
import type { Middleware } from '../call/handler.ts'
import { givesStream } from '../call/method-ref.ts'

/** Makes the call the current one for everything its handler does, now and later. */
export const callContext: Middleware = (next) => (call) => {
  const result = runInCall(call, () => next(call))
  if (!givesStream(call.method.kind)) return result
  return result.then((stream) => inCall(stream as AsyncIterable<unknown>, call))
}

/** The body of a generator runs when its next element is asked for, by somebody who is not in the call. */
function inCall(stream: AsyncIterable<unknown>, call: Call): AsyncIterable<unknown> {
  return {
    [Symbol.asyncIterator]() {
      const iterator = runInCall(call, () => stream[Symbol.asyncIterator]())
      return {
        next: () => runInCall(call, () => iterator.next()),
        return: async (value) =>
          runInCall(call, () => iterator.return?.(value)) ?? { done: true, value: undefined },
      }
    },
  }
}
