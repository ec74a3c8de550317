/** Runs work where a source was given: in the call and the context of whoever passes it in. */
export type ContextRunner = <T>(work: () => T) => T

/**
 * The inputs of a call that sends a stream of them: whatever a caller passed, as an `AsyncIterable` for one reader. It
 * is not touched before the first element is asked for; from then on the call cannot be repeated.
 */
export class InputSource implements AsyncIterable<unknown> {
  readonly #source: object
  readonly #run: ContextRunner
  #started = false
  #failure: { readonly error: unknown } | undefined

  /**
   * @param source an async iterable, an iterable, or a web `ReadableStream`
   * @param name of the call, for the message
   * @param run elements are asked for within this
   * @throws TypeError for anything else, and for text and bytes, which are elements and no streams of elements
   */
  constructor(source: unknown, name: string, run: ContextRunner = (work) => work()) {
    this.#source = requireSource(source, name)
    this.#run = run
  }

  /** Whether the first element has been asked for. */
  get started(): boolean {
    return this.#started
  }

  /** Whether `error` is what the source threw, or stands for it. */
  threw(error: unknown): boolean {
    if (this.#failure === undefined) return false
    return error === this.#failure.error || (error as Error)?.cause === this.#failure.error
  }

  /** What the source threw. */
  get thrown(): unknown {
    return this.#failure?.error
  }

  [Symbol.asyncIterator](): AsyncIterator<unknown> {
    let iterator: AnyIterator | undefined
    return {
      next: async () => {
        this.#started = true
        try {
          return await this.#run(() => {
            iterator ??= iteratorOf(this.#source)
            return iterator.next()
          })
        } catch (error) {
          this.#failure = { error }
          throw error
        }
      },
      // One that was not begun is still its owner's.
      return: async () => {
        await this.#run(() => iterator?.return?.(undefined))
        return { done: true, value: undefined }
      },
    }
  }
}

type AnyIterator = AsyncIterator<unknown> | Iterator<unknown>

function requireSource(source: unknown, name: string): object {
  const bytes = source instanceof ArrayBuffer || ArrayBuffer.isView(source)
  if (typeof source === 'string' || bytes) {
    throw new TypeError(`${name} takes a stream of inputs: put a single text or buffer in a list`)
  }
  const known = [Symbol.asyncIterator, Symbol.iterator, 'getReader']
  const fits = typeof source === 'object' && source !== null && known.some((key) => key in source)
  if (fits) return source
  throw new TypeError(
    `${name} takes a stream of inputs: an async iterable, an iterable or a ReadableStream`,
  )
}

function iteratorOf(source: object): AnyIterator {
  if (Symbol.asyncIterator in source)
    return (source as AsyncIterable<unknown>)[Symbol.asyncIterator]()
  if (Symbol.iterator in source) return (source as Iterable<unknown>)[Symbol.iterator]()
  return readEach(source as ReadableStream<unknown>)
}

/** Some browsers do not iterate over their own streams. */
async function* readEach(stream: ReadableStream<unknown>): AsyncGenerator<unknown> {
  const reader = stream.getReader()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      yield value
    }
  } finally {
    // Harmless behind the end; before it, this is how a reader leaves.
    await reader.cancel()
    reader.releaseLock()
  }
}
