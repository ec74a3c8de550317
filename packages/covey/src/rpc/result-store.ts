/**
 * Where the results of submitted calls wait to be collected: in the memory of the instance, or somewhere that other
 * instances reach as well. What is kept is bytes, so that nobody changes it and its size is known.
 */
export interface ResultStore {
  /**
   * Makes sure that there is room for one more result, beside those of `running` calls.
   * @throws CoveyError `RESOURCE_EXHAUSTED` if there is none; nothing that was not collected is dropped for it
   */
  makeRoom(running: number): void
  /**
   * Keeps a result from now until it expires.
   * @throws CoveyError `RESULT_LOST` if there is no room for one of this size
   */
  save(token: string, outcome: Uint8Array): Promise<void>
  /** What is kept under each of some tokens, in their order; undefined where there is nothing. */
  find(tokens: readonly string[]): Promise<(Uint8Array | undefined)[]>
  /** These were told to somebody: they may go first when room is needed. */
  collected(tokens: readonly string[]): void
  /** Forgets everything that is kept here alone, and tells how many results of those nobody had collected. */
  close(): number
}
