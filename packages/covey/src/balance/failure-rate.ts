/** How much an old call still counts, in milliseconds: after so long, 37 %. */
const fadeMs = 1_000

/** Where calls are few, so many are remembered however old they are: from fewer nothing can be told. */
const leastCalls = 64

/**
 * How many of the last calls of something failed. Counting reads no clock; {@link fade} does that from time to time, and takes the
 * calls since it was asked last as spread evenly over the time since then.
 */
export class FailureRate {
  /** Since the last look. */
  #newCalls = 0
  #newFailed = 0
  #calls = 0
  #failed = 0
  #atMs: number

  constructor(nowMs: number) {
    this.#atMs = nowMs
  }

  /** A call was answered. */
  countAnswer(): void {
    this.#newCalls += 1
  }

  /** A call failed. */
  countFailure(): void {
    this.#newCalls += 1
    this.#newFailed += 1
  }

  /** Calls that count, as of the last look; old ones count in part. */
  get calls(): number {
    return this.#calls
  }

  /** Of them, those that failed. */
  get failed(): number {
    return this.#failed
  }

  /** Takes a look: what is old fades, what is new counts. */
  fade(nowMs: number): void {
    const passedMs = Math.max(0, nowMs - this.#atMs)
    const kept = Math.exp(-passedMs / fadeMs)
    const evenly = passedMs === 0 ? 1 : ((1 - kept) * fadeMs) / passedMs
    const newWeight = Math.max(evenly, shareOf(leastCalls, this.#newCalls))
    const newCalls = this.#newCalls * newWeight
    const oldWeight = Math.max(kept, shareOf(leastCalls - newCalls, this.#calls))
    this.#calls = this.#calls * oldWeight + newCalls
    this.#failed = this.#failed * oldWeight + this.#newFailed * newWeight
    this.#newCalls = 0
    this.#newFailed = 0
    this.#atMs = nowMs
  }

  /** Forgets all calls. */
  reset(nowMs: number): void {
    this.#newCalls = this.#newFailed = this.#calls = this.#failed = 0
    this.#atMs = nowMs
  }
}

/** The part of them that makes so many: none of them to all. */
function shareOf(wanted: number, calls: number): number {
  if (wanted <= 0) return 0
  return calls <= wanted ? 1 : wanted / calls
}
