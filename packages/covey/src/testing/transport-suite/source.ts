/** A source of inputs that a test can look at. */
export interface WatchedSource<T> {
  readonly source: AsyncGenerator<T>
  readonly state: {
    /** Elements made. */
    made: number
    /** It came to its end, or was left. */
    left: boolean
  }
}

/**
 * Makes `make(1)` to `make(count)`.
 * @param pace `slow` takes a turn of the event loop for each
 */
export function watched<T>(
  count: number,
  make: (n: number) => T,
  pace: 'quick' | 'slow' = 'quick',
): WatchedSource<T> {
  const state = { made: 0, left: false }
  async function* source() {
    try {
      while (state.made < count) {
        state.made += 1
        yield make(state.made)
        if (pace === 'slow') await new Promise((resolve) => setImmediate(resolve))
      }
    } finally {
      state.left = true
    }
  }
  return { source: source(), state }
}
