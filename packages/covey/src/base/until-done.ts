/** Resolves when `wait` calls its argument, or when `signal` aborts. */
export function untilDone(wait: (done: () => void) => void, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    const done = () => {
      signal?.removeEventListener('abort', done)
      resolve()
    }
    wait(done)
    signal?.addEventListener('abort', done)
  })
}
