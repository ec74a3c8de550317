import type { Call } from '../call/call.ts'

/**
 * What a handler returned as its results, closed with its call also when nobody has begun to read it: a call that is given up in
 * that moment must not leave a file open, or a subscription. Whoever has begun to read it closes it by leaving. The generators that
 * middleware is made of cannot tell: one that is left before its first element never runs, and tells nobody.
 */
export function handlerStream(results: unknown, call: Call): unknown {
  const source = results as AsyncIterable<unknown> | undefined
  // A list has nothing to close, and what is no stream is told to be none where it is read.
  if (typeof source?.[Symbol.asyncIterator] !== 'function') return results
  return new HandlerStream(source, call)
}

class HandlerStream implements AsyncIterable<unknown> {
  readonly #source: AsyncIterable<unknown>
  readonly #call: Call
  readonly #onCancel = () => void close(this.#source)

  constructor(source: AsyncIterable<unknown>, call: Call) {
    this.#source = source
    this.#call = call
    call.onCancel(this.#onCancel)
  }

  /** @throws CoveyError why the call was cancelled, if it was closed for that */
  [Symbol.asyncIterator](): AsyncIterator<unknown> {
    if (this.#call.cancelled !== undefined) throw this.#call.cancelled
    this.#call.offCancel(this.#onCancel)
    return this.#source[Symbol.asyncIterator]()
  }
}

/** Closes a stream that nobody has read from. A failure has nobody left to be told to. */
async function close(source: AsyncIterable<unknown> & Partial<NodeStream>): Promise<void> {
  try {
    // Their iterators are generators as well.
    if (typeof source.pipe === 'function' && typeof source.destroy === 'function') source.destroy()
    else await source[Symbol.asyncIterator]().return?.(undefined)
  } catch {
    // Said above.
  }
}

/** How streams of Node are known; this code runs elsewhere too. */
interface NodeStream {
  pipe(target: unknown): unknown
  destroy(): unknown
}
