import type { Middleware } from '../call/handler.ts'
import { CoveyError } from '../error/covey-error.ts'
import { type CallMetrics, countEnd } from '../observe/call-metrics.ts'
import type { OnCallEnd } from './call-log.ts'

/**
 * Counts the calls of one method and how long they take since they arrived; of a stream, until its end.
 * @param onEnd is told of each one as well
 */
export function callMetrics(metrics: CallMetrics, method: string, onEnd?: OnCallEnd): Middleware {
  const counter = metrics.of(method)
  return (next) => (call) => {
    counter.running += 1
    const { clock, openedMs } = call
    const { kind } = call.method
    const streams = kind === 'serverStream' || kind === 'duplex'
    const end = (code?: string) => {
      const ms = clock.monotonicMs() - openedMs
      countEnd(counter, ms, code)
      onEnd?.(call, ms, code)
    }
    const failed = (error: unknown) => end(CoveyError.from(error).code)
    const result = next(call)
    if (!streams) {
      result.then(() => end(), failed)
      return result
    }
    return result.then(
      (stream) => counted(stream as AsyncIterable<unknown>, end),
      (error) => {
        failed(error)
        throw error
      },
    )
  }
}

/** Not a generator: one that is left before its first element would never hear of it. */
function counted(
  stream: AsyncIterable<unknown>,
  end: (code?: string) => void,
): AsyncIterable<unknown> {
  return {
    [Symbol.asyncIterator]() {
      const iterator = stream[Symbol.asyncIterator]()
      let ended = false
      const endOnce = (code?: string) => {
        if (!ended) end(code)
        ended = true
      }
      return {
        async next() {
          try {
            const step = await iterator.next()
            if (step.done) endOnce()
            return step
          } catch (error) {
            endOnce(CoveyError.from(error).code)
            throw error
          }
        },
        async return(value) {
          endOnce()
          return (await iterator.return?.(value)) ?? { done: true, value: undefined }
        },
      }
    },
  }
}
