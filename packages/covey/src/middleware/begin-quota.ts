/** What is known of a turn of the event loop. */
export interface TurnFigures {
  /** From the end of the turn before to its own, in milliseconds. */
  readonly turnMs: number
  /** The part of it in which calls were begun. */
  readonly beginningMs: number
  /** Calls that were begun, and calls that ended. */
  readonly begun: number
  readonly ended: number
  /** Whether more calls wanted to be begun than might. */
  readonly wanted: boolean
}

/** A turn that does nothing but turn takes less, in milliseconds. */
const idleTurnMs = 0.5

/** A turn with so much to do for calls that were begun before is long, in milliseconds. */
export const longTurnMs = 100

/** One of this length alone shows that there are too many of them; of shorter ones it takes two, this close to each other. */
const hugeTurnMs = 200
const closeMs = 300

/** How much calls that were begun before should have to do in a turn while there is a limit, in milliseconds. */
const goodTurnMs = 50

/** The part of idle time that is filled with new calls. */
const fillShare = 0.8

/** The limit stays for so long after the last long turn, or after somebody had to wait for it, in milliseconds. */
const cautionMs = 1_000

/** So many more calls may be begun in a turn than have ended lately, as long as there is no limit. */
const firstCalls = 100

/** What turns told is half forgotten after so long, in milliseconds. */
const memoryMs = 150

/** No turn counts for more, in milliseconds: a garbage collection says nothing of what calls cost. */
const maxTurnMs = 100

/**
 * How many calls may be begun, and what one costs. There is no limit as long as turns are short, or long because calls are
 * begun in them. Handlers that use the processor behind an `await` take no time when they are begun and make later
 * turns long. When they do, one call is begun for one that ends, but never more than fill a turn, and more while the loop
 * has nothing to do. So it holds for handlers that wait for something in between, however long that takes.
 *
 * The limit ends when for a second no turn was long and nobody was left in line, whether or not there were calls meanwhile.
 *
 * What was begun before the first calls show what they take is done, too late for anybody. So without a limit a turn begins few more
 * than have ended lately, which lets 5 to 10 times too many calls of handlers that wait for a short time cost nothing, and 40 times too
 * many at most a second and a half (simulated, with a wait of 30 ms and 2 ms of the processor). Where handlers wait for longer nothing can be
 * known in time: with 100 ms, 40 times too many take four seconds to be done, and nearly nobody gets an answer in time until then.
 * Source of the ideas: Jacobson, "Congestion avoidance and control" (1988), conservation of packets and slow start.
 */
export class BeginQuota {
  #limited = false
  #longAtMs = Number.NEGATIVE_INFINITY
  #cautiousUntilMs = 0
  #credit = 0
  // Sums that fade.
  #busyMs = 0
  #begun = 0
  #ended = 0

  /** Time of the loop for one call, in milliseconds; 0 while it is not known. */
  get costMs(): number {
    const calls = Math.max(this.#begun, this.#ended)
    return calls < 1 ? 0 : this.#busyMs / calls
  }

  /** The same of what is known so far, however few calls that are. */
  get #knownCostMs(): number {
    return this.#busyMs / Math.max(1, this.#begun, this.#ended)
  }

  /** Whether there is a limit. */
  get limited(): boolean {
    return this.#limited
  }

  /** How many calls may be begun in a turn. */
  get calls(): number {
    return Math.max(0, Math.floor(this.#limited ? this.#credit : firstCalls + this.#ended))
  }

  /** So many of those were begun. */
  spend(calls: number): void {
    if (this.#limited) this.#credit -= calls
  }

  /** Learns from a turn that ends now. */
  learn(turn: TurnFigures, nowMs: number): void {
    const { turnMs, beginningMs, begun, ended, wanted } = turn
    const restMs = turnMs - beginningMs
    const idle = restMs < idleTurnMs
    const busyMs = beginningMs + (idle ? 0 : restMs)
    this.#fade(Math.min(turnMs, maxTurnMs))
    const share = Math.min(1, maxTurnMs / busyMs)
    this.#busyMs += busyMs * share
    this.#begun += begun * share
    this.#ended += ended * share
    if (this.#limited) {
      if (wanted) this.#cautiousUntilMs = nowMs + cautionMs
      this.#earn(ended, idle ? turnMs : 0)
    }
    const costMs = this.#knownCostMs
    if (restMs > Math.max(longTurnMs, 3 * costMs)) this.#onLong(restMs, nowMs)
    else if (nowMs > this.#cautiousUntilMs) this.#limited = false
  }

  /** Learns that for so long no turn was looked at, in which so many calls ended. */
  rest(restMs: number, ended: number, nowMs: number): void {
    if (this.#limited && nowMs <= this.#cautiousUntilMs) {
      this.#earn(ended, Math.max(0, restMs - ended * this.#knownCostMs))
      return
    }
    this.#limited = false
    this.#fade(restMs)
  }

  #fade(ms: number): void {
    const faded = 0.5 ** (ms / memoryMs)
    this.#busyMs *= faded
    this.#begun *= faded
    this.#ended *= faded
  }

  #earn(ended: number, idleMs: number): void {
    const costMs = this.#knownCostMs
    // A call that takes longer than a turn should has a turn of its own.
    const goodMs = Math.max(goodTurnMs, 1.5 * costMs)
    const earned = ended + (fillShare * idleMs) / costMs
    this.#credit = Math.min(this.#credit + earned, Math.max(1, goodMs / costMs))
  }

  #onLong(restMs: number, nowMs: number): void {
    const again = nowMs - restMs < this.#longAtMs + closeMs
    this.#longAtMs = nowMs
    this.#cautiousUntilMs = nowMs + cautionMs
    if (this.#limited || (restMs < hugeTurnMs && !again)) return
    this.#limited = true
    this.#credit = 1
  }
}
