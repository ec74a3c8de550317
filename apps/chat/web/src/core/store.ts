/** A value that changes as a whole; each state is immutable, so readers may keep it. */
export interface Store<T> {
  get(): T
  /** Replaces the state. Listeners hear of it only when `change` returns another object. */
  update(change: (state: T) => T): void
  /** Calls `listener` after each change; returns the function that ends it. */
  subscribe(listener: () => void): () => void
}

/** A store without its writing end, for views. */
export type Readable<T> = Omit<Store<T>, 'update'>

/** Makes a store. Listeners run in the order they came, inside `update`. */
export function createStore<T>(initial: T): Store<T> {
  let state = initial
  const listeners = new Set<() => void>()
  return {
    get: () => state,
    update(change) {
      const next = change(state)
      if (Object.is(next, state)) return
      state = next
      for (const listener of [...listeners]) listener()
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
}
