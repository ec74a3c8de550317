import { codeEntry } from '../error/codes.ts'
import { CoveyError } from '../error/covey-error.ts'
import type { ExecutionLog } from './execution-log.ts'

/** One call, as its caller sees it. */
export interface WitnessedCall {
  /** Its number in the execution log; every call has its own. */
  readonly number: number
  /** What is called, for messages. */
  readonly what?: string
  /** When it must be over, in milliseconds from now. */
  readonly timeoutMs: number
  /** How often it may run: an idempotent one as often as it is sent, but each attempt once. Default 1. */
  readonly maxRuns?: number
  /** Makes the call. Resolves with undefined if the answer was its own, otherwise with what was wrong about it. */
  run(): Promise<string | undefined>
}

const pausePeriodMs = 10
/** On a busy machine it is the many small ones that make a reader late who waits for a timer behind each element. */
const smallestPauseMs = 1
const shownProblems = 5

/**
 * Holds what callers were told against what servers did. It finds answers that belong to another call, calls told as "not
 * run" that did run, calls and attempts that ran twice, answers without a run, and calls that were not over in time.
 *
 * The handler notes each run in the {@link ExecutionLog} and answers with the number of the call, which the caller compares.
 *
 * @example
 * const ledger = new TruthLedger(log)
 * await ledger.witness({
 *   number,
 *   timeoutMs,
 *   run: async () => {
 *     const answer = await api.echo({ number }, { timeoutMs })
 *     return answer.number === number ? undefined : `got ${answer.number}`
 *   },
 * })
 * assert.deepEqual(ledger.problems(), [])
 */
export class TruthLedger implements Disposable {
  readonly #log: ExecutionLog
  readonly #graceMs: number
  /** For each call 0 (not begun), 1 (not over) or 2 and its place in `#names`. */
  readonly #outcomes: Uint8Array
  readonly #maxRuns: Uint8Array
  readonly #names: string[] = ['OK']
  readonly #wrong: string[] = []
  readonly #late: string[] = []
  readonly #pauses: { atMs: number; ms: number }[] = []
  readonly #ticker: NodeJS.Timeout
  #tickMs = performance.now()

  /** @param graceMs how much later than its time a call may be over, beside pauses of this event loop. Default 250. */
  constructor(log: ExecutionLog, { graceMs = 250 }: { graceMs?: number } = {}) {
    this.#log = log
    this.#graceMs = graceMs
    this.#outcomes = new Uint8Array(log.size)
    this.#maxRuns = new Uint8Array(log.size).fill(1)
    this.#ticker = setInterval(() => this.#tick(), pausePeriodMs)
    this.#ticker.unref()
  }

  /** Makes a call and notes what came of it. Never rejects. */
  async witness(call: WitnessedCall): Promise<string> {
    const { number, timeoutMs, maxRuns = 1 } = call
    if (this.#outcomes[number] !== 0) throw new RangeError(`two calls have the number ${number}`)
    this.#outcomes[number] = 1
    this.#maxRuns[number] = maxRuns
    const startMs = performance.now()
    const outcome = await this.#outcome(call)
    this.#outcomes[number] = 2 + this.#place(outcome)
    const overMs = performance.now() - startMs - timeoutMs
    if (overMs > this.#graceMs) this.#noteLate(call, outcome, startMs, overMs)
    return outcome
  }

  /** How many calls ended how: `OK`, or the code of the error. */
  outcomes(): Record<string, number> {
    const counts: Record<string, number> = {}
    for (const outcome of this.#outcomes) {
      if (outcome === 0) continue
      const name = outcome === 1 ? 'HANGING' : this.#names[outcome - 2]!
      counts[name] = (counts[name] ?? 0) + 1
    }
    return counts
  }

  /** How many calls ran more than once. */
  get repeated(): number {
    let repeated = 0
    for (let number = 0; number < this.#log.size; number++) {
      if (this.#log.runs(number) > 1) repeated += 1
    }
    return repeated
  }

  /**
   * Every untruth, in words; none is as it should be. Ask when all calls are over and no server runs any more, for a call
   * may run after its caller was told that it did not.
   */
  problems(): string[] {
    const hanging: string[] = []
    const lies: string[] = []
    const repeated: string[] = []
    for (const [number, outcome] of this.#outcomes.entries()) {
      if (outcome === 0) continue
      const runs = this.#log.runs(number)
      if (outcome === 1) hanging.push(`call ${number}`)
      else if (this.#log.ranTwice(number)) repeated.push(`call ${number}: one attempt ran twice`)
      else if (runs > this.#maxRuns[number]!) repeated.push(`call ${number}: ran ${runs} times`)
      const name = outcome < 2 ? '' : this.#names[outcome - 2]!
      if (runs > 0 && codeEntry(name).retry === 'always') lies.push(`call ${number}: ${name}`)
      if (runs === 0 && name === 'OK') lies.push(`call ${number}: an answer, but it never ran`)
    }
    return [
      ...shown('told something untrue', lies),
      ...shown('ran again', repeated),
      ...shown('got a wrong answer', this.#wrong),
      ...shown('were not over in time', this.#late),
      ...shown('are not over', hanging),
    ]
  }

  /** Watches the event loop no longer. */
  [Symbol.dispose](): void {
    clearInterval(this.#ticker)
  }

  async #outcome(call: WitnessedCall): Promise<string> {
    try {
      const wrong = await call.run()
      if (wrong !== undefined) this.#wrong.push(`${nameOf(call)}: ${wrong}`)
      return 'OK'
    } catch (error) {
      return CoveyError.from(error).code
    }
  }

  #place(name: string): number {
    const known = this.#names.indexOf(name)
    return known >= 0 ? known : this.#names.push(name) - 1
  }

  /** A call cannot be over while nothing in this process runs. */
  #noteLate(call: WitnessedCall, outcome: string, startMs: number, overMs: number): void {
    this.#tick()
    let pausedMs = 0
    for (const { atMs, ms } of this.#pauses) if (atMs >= startMs) pausedMs += ms
    if (overMs - pausedMs <= this.#graceMs) return
    this.#late.push(`${nameOf(call)}: ${outcome}, ${Math.round(overMs)} ms behind its time`)
  }

  #tick(): void {
    const atMs = performance.now()
    const ms = atMs - this.#tickMs - pausePeriodMs
    this.#tickMs = atMs
    if (ms > smallestPauseMs) this.#pauses.push({ atMs, ms })
  }
}

function nameOf({ number, what }: WitnessedCall): string {
  return what === undefined ? `call ${number}` : `call ${number} (${what})`
}

function shown(what: string, list: readonly string[]): string[] {
  if (list.length === 0) return []
  const more = list.length > shownProblems ? ', …' : ''
  return [`${list.length} calls ${what}: ${list.slice(0, shownProblems).join(', ')}${more}`]
}
