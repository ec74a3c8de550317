import { createBackoff } from '../base/backoff.ts'
import { sleep } from '../base/sleep.ts'
import type { Call } from '../call/call.ts'
import type { CallOptions } from '../contract/client.ts'
import type { Settled } from '../contract/settled.ts'
import type { ResultOptions } from '../contract/ticket.ts'
import { CoveyError } from '../error/covey-error.ts'
import { goneAfterMs, isUnknownInstance, lostWith } from './gone-instance.ts'
import type { CollectedResult } from './result-contract.ts'
import type { ResultSource } from './result-source.ts'

/** Default time to wait, in milliseconds. */
const defaultTimeoutMs = 30_000
/** The longest that the server is asked to hold one question, in milliseconds. */
const longestPollMs = 20_000
/** Time for the answer to a question that waits for nothing, in milliseconds. */
const answerMs = 5_000

/** What may be over when the same question is asked again. */
const passing: readonly string[] = [
  'UNAVAILABLE',
  'CONNECTION_LOST',
  'DRAINING',
  'RESOURCE_EXHAUSTED',
  'DEADLINE_EXCEEDED',
]

/**
 * Asks one instance for the results of some tokens until all are there or the time is over. Every token has an entry in the
 * answer; nothing is thrown but a `TypeError` for a wrong option.
 */
export async function awaitResults(
  instance: string,
  tokens: readonly string[],
  source: ResultSource,
  options: ResultOptions = {},
): Promise<Map<string, Settled<unknown>>> {
  const wait = new Wait(instance, tokens, source, options)
  while (wait.open.length > 0 && wait.hasTime()) await wait.ask()
  return wait.finish()
}

/** One waiting for the results of an instance. */
class Wait {
  /** Tokens without a result. */
  open: string[]
  readonly #instance: string
  readonly #source: ResultSource
  readonly #options: ResultOptions
  readonly #timeoutMs: number
  readonly #untilMs: number
  readonly #parent: Call | undefined
  readonly #settled = new Map<string, Settled<unknown>>()
  readonly #backoff = createBackoff({ minMs: 20, maxMs: 1_000 })
  /** Why the last question had no answer. */
  #trouble: CoveyError | undefined
  #goneSinceMs: number | undefined
  #asked = false

  constructor(
    instance: string,
    tokens: readonly string[],
    source: ResultSource,
    options: ResultOptions,
  ) {
    this.open = [...new Set(tokens)]
    this.#instance = instance
    this.#source = source
    this.#options = options
    this.#parent = source.currentCall()
    this.#timeoutMs = options.timeoutMs ?? defaultTimeoutMs
    if (Number.isNaN(this.#timeoutMs)) throw new TypeError('timeoutMs is NaN')
    const untilMs = source.clock.monotonicMs() + this.#timeoutMs
    this.#untilMs = Math.min(untilMs, this.#parent?.deadlineMs ?? untilMs)
  }

  /** Whether to ask (again). */
  hasTime(): boolean {
    return !this.#asked || this.#leftMs() >= 10
  }

  async ask(): Promise<void> {
    this.#asked = true
    const leftMs = this.#leftMs()
    // The answer has to be back in time; what is done is told even when something else still runs.
    const waitMs = Math.max(0, Math.min(longestPollMs, leftMs - Math.min(200, leftMs / 4)))
    const startMs = this.#source.clock.monotonicMs()
    try {
      const answer = await this.#source.collect({ tokens: this.open, waitMs }, this.#wishes(waitMs))
      const count = this.open.length
      this.#take(answer)
      this.#trouble = undefined
      this.#goneSinceMs = undefined
      // One that answers at once without news is not to be asked in a circle.
      const early = this.#source.clock.monotonicMs() - startMs < waitMs / 2
      if (this.open.length < count || !early) this.#backoff.reset()
      else await this.#pause()
    } catch (thrown) {
      await this.#onTrouble(CoveyError.from(thrown))
    }
  }

  /** What there is for each token. */
  finish(): Map<string, Settled<unknown>> {
    if (this.open.length > 0) this.#failOpen(this.#late())
    return this.#settled
  }

  #leftMs(): number {
    return this.#untilMs - this.#source.clock.monotonicMs()
  }

  #wishes(waitMs: number): CallOptions {
    const { signal, metadata } = this.#options
    const leftMs = this.#timeoutMs <= 0 ? answerMs : Math.max(1, this.#leftMs())
    return {
      ...(this.#source.anywhere ? {} : { instance: this.#instance }),
      timeoutMs: Math.min(leftMs, waitMs + answerMs),
      ...(signal === undefined ? {} : { signal }),
      ...(metadata === undefined ? {} : { metadata }),
    }
  }

  #take(answer: readonly CollectedResult[]): void {
    if (!Array.isArray(answer) || answer.length !== this.open.length) {
      throw new CoveyError('PROTOCOL_ERROR', 'the server answered for other tokens than was asked')
    }
    const running: string[] = []
    for (const [index, token] of this.open.entries()) {
      const settled = toSettled(answer[index]!)
      if (settled === undefined) running.push(token)
      else this.#settled.set(token, settled)
    }
    this.open = running
  }

  async #onTrouble(error: CoveyError): Promise<void> {
    this.#trouble = error
    const final = !passing.includes(error.code) || this.#parent?.cancelled !== undefined
    if (final) return this.#failOpen(error)
    // "Was not run" would be understood of the call itself.
    if (isClosed(error)) return this.#failOpen(new CoveyError('CANCELLED', error.message))
    if (this.#isGone(error)) return this.#failOpen(lostWith(this.#instance, error))
    await this.#pause()
  }

  /** Whether the instance is not coming back: nobody knows it any more. */
  #isGone(error: CoveyError): boolean {
    const nowMs = this.#source.clock.monotonicMs()
    if (!isUnknownInstance(error, this.#instance)) this.#goneSinceMs = undefined
    else this.#goneSinceMs ??= nowMs
    return this.#goneSinceMs !== undefined && nowMs - this.#goneSinceMs >= goneAfterMs
  }

  async #pause(): Promise<void> {
    const delayMs = Math.max(0, Math.min(this.#backoff.next(), this.#leftMs()))
    const signals = [this.#options.signal, this.#parent?.signal].filter((one) => one !== undefined)
    // The timers of the clock let the process end; who waits for a result does not mean to.
    const hold = setInterval(() => {}, 60_000)
    // An abort is seen by the next question.
    await sleep(delayMs, AbortSignal.any(signals), this.#source.clock).catch(() => {})
    clearInterval(hold)
  }

  #failOpen(error: CoveyError): void {
    for (const token of this.open) this.#settled.set(token, { ok: false, error })
    this.open = []
  }

  #late(): CoveyError {
    const why =
      this.#trouble === undefined
        ? 'the call is still running'
        : `instance ${this.#instance} could not be asked: ${this.#trouble.message}`
    const message = `no result within ${this.#timeoutMs} ms: ${why}; the ticket stays good`
    return new CoveyError('DEADLINE_EXCEEDED', message, { cause: this.#trouble })
  }
}

/** Whether this side has closed its connections for good. */
function isClosed({ details }: CoveyError): boolean {
  return (details as { closed?: boolean } | undefined)?.closed === true
}

/** Undefined while it runs. */
function toSettled(result: CollectedResult): Settled<unknown> | undefined {
  switch (result.state) {
    case 'done':
      return { ok: true, value: result.value }
    case 'failed':
      return { ok: false, error: CoveyError.fromData(result.error) }
    case 'unknown': {
      const message = 'no result waits under this token: it has expired, or was never given'
      return { ok: false, error: new CoveyError('RESULT_EXPIRED', message) }
    }
    case 'running':
      return undefined
    default:
      throw new CoveyError('PROTOCOL_ERROR', 'a result in an unknown state')
  }
}
