/**
 * States on their way to a reader, by key: a newer one takes the place of an older one, and one that the reader knows is
 * not told again. So a slow reader costs one entry a key, however often things change.
 */
export class LatestStates<Key, State> {
  readonly #told = new Map<Key, State>()
  readonly #pending = new Map<Key, State>()

  /** Notes a state. */
  set(key: Key, state: State): void {
    if (this.#told.get(key) === state) this.#pending.delete(key)
    else this.#pending.set(key, state)
  }

  /** The next thing to tell, which counts as told from now on; undefined when there is none. */
  take(): readonly [Key, State] | undefined {
    const [next] = this.#pending
    if (next === undefined) return undefined
    this.#pending.delete(next[0])
    this.#told.set(next[0], next[1])
    return next
  }
}
