import { keepContext, runInCall } from '../call/call-storage.ts'
import type { Middleware } from '../call/handler.ts'
import type { ContextRunner } from '../call/input-source.ts'
import { givesStream } from '../call/method-ref.ts'

/** Makes the call the current one for everything its handler does, now and later. */
export const callContext: Middleware = (next) => (call) =>
  runInCall(call, () => {
    if (!givesStream(call.method.kind)) return next(call)
    const run = keepContext()
    return next(call).then((stream) => runEach(stream as AsyncIterable<unknown>, run))
  })

/** The body of a generator runs when its next element is asked for, by somebody who is not in the call. */
function runEach(stream: AsyncIterable<unknown>, run: ContextRunner): AsyncIterable<unknown> {
  return {
    [Symbol.asyncIterator]() {
      const iterator = run(() => stream[Symbol.asyncIterator]())
      const next = () => iterator.next()
      return {
        next: () => run(next),
        return: async (value) =>
          run(() => iterator.return?.(value)) ?? { done: true, value: undefined },
      }
    },
  }
}
