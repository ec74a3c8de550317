/** Opens a stream that failed before its first element once more. @throws what its reader is told */
export type Reopen = (error: unknown) => Promise<unknown>

/**
 * A stream that is opened anew when it fails before its first element or its end. From then on its elements pass as they are,
 * without a promise of their own.
 */
export function reopening(stream: unknown, reopen: Reopen): AsyncIterable<unknown> {
  return {
    [Symbol.asyncIterator]() {
      let iterator = iteratorOf(stream)
      let begun = false
      let first: Promise<IteratorResult<unknown>> | undefined
      const begin = async () => {
        for (;;) {
          try {
            const step = await iterator.next()
            begun = true
            return step
          } catch (error) {
            iterator = iteratorOf(await reopen(error))
          }
        }
      }
      return {
        next() {
          if (begun) return iterator.next()
          // A reader may ask for the second element before it has the first.
          first = first === undefined ? begin() : first.then(() => iterator.next())
          return first
        },
        async return(value) {
          return (await iterator.return?.(value)) ?? { done: true, value: undefined }
        },
      }
    },
  }
}

function iteratorOf(stream: unknown): AsyncIterator<unknown> {
  return (stream as AsyncIterable<unknown>)[Symbol.asyncIterator]()
}
