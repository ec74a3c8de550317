import type { Clock } from '../base/clock.ts'
import { untilDone } from '../base/until-done.ts'
import { Call } from '../call/call.ts'
import type { Handler } from '../call/handler.ts'
import { CoveyError } from '../error/covey-error.ts'
import { shortErrorData } from '../error/send-error-data.ts'
import type { Log } from '../observe/log.ts'
import { instanceStopping } from '../transport/endings.ts'
import { hasStreams } from '../transport/mode-refusal.ts'
import { encodeOutcome, type Outcome } from './outcome.ts'
import type { ResultStore } from './result-store.ts'
import { newResultToken } from './result-token.ts'

/** What accepted work needs. */
export interface AcceptedWorkOptions {
  /** Id of the instance; tokens begin with it. */
  readonly instance: string
  readonly clock: Clock
  readonly log: Log
  /** Where results wait. */
  readonly store: ResultStore
  /** Calls of these modes that run at the same time. Default 10,000. */
  readonly maxRunning?: number
}

/** One call that runs without anybody waiting. */
interface Work {
  readonly call: Call
  /** Of `submit`. */
  readonly token: string | undefined
  state: 'asked' | 'begun' | 'ended'
  /** Tells the caller that it was accepted, or why not. */
  readonly accept: () => void
  readonly refuse: (error: CoveyError) => void
  /** Those who wait for its result. */
  readonly watchers: Set<() => void>
}

/** Of an error that is kept in the place of what cannot be. */
const maxMessageLength = 300

const defaultMaxRunning = 10_000

/**
 * Results that came while an instance stops wait so long for whoever asks every now and then, in milliseconds; those who wait for
 * them are told at once.
 */
const collectMs = 2_000

/** Tokens that are waited for, over all questions; whoever asks beyond that gets an answer at once. */
const maxWatching = 100_000

/**
 * The calls of `notify` and `submit` that run in an instance: each is detached from its caller as soon as its handler begins, and
 * what becomes of it is kept (`submit`) or, when it fails, written to the log (`notify`).
 */
export class AcceptedWork {
  readonly #options: AcceptedWorkOptions
  readonly #works = new Map<Call, Work>()
  readonly #submitted = new Map<string, Work>()
  readonly #maxRunning: number
  #watching = 0
  #draining = false
  #onIdle: (() => void)[] = []
  /** Tokens of results that came while it drains and that nobody has collected. */
  readonly #fresh = new Set<string>()
  #onCollected: (() => void) | undefined

  constructor(options: AcceptedWorkOptions) {
    this.#options = options
    this.#maxRunning = options.maxRunning ?? defaultMaxRunning
  }

  get instance(): string {
    return this.#options.instance
  }

  /** Where results wait. */
  get store(): ResultStore {
    return this.#options.store
  }

  /** Calls that run, or wait to be begun. */
  get running(): number {
    return this.#works.size
  }

  /**
   * Runs a call through its stack, `run`. See `Dispatcher.accept`.
   * @throws CoveyError `DRAINING`, `RESOURCE_EXHAUSTED` if there is no room, and whatever refuses the call before its handler
   */
  async accept(call: Call, run: Handler): Promise<string | undefined> {
    if (call.cancelled !== undefined) throw call.cancelled
    this.#makeRoom(call)
    const token = call.mode === 'submit' ? newResultToken(this.instance) : undefined
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const work: Work = {
      // The same call without the ties to its caller.
      call: new Call(call.method, call.input, call),
      token,
      state: 'asked',
      accept: resolve,
      refuse: reject,
      watchers: new Set(),
    }
    this.#works.set(work.call, work)
    if (token !== undefined) this.#submitted.set(token, work)
    this.#start(work, run)
    const takeBack = (reason: CoveyError) => {
      if (work.state === 'asked') work.call.cancel(reason)
    }
    call.onCancel(takeBack)
    try {
      await promise
      return token
    } finally {
      call.offCancel(takeBack)
    }
  }

  /**
   * The handler of a call is about to begin. From here on the call is accepted.
   * @throws CoveyError why the call was given up before
   */
  begin(call: Call): void {
    const work = this.#works.get(call)
    if (work?.state === 'asked') {
      work.state = 'begun'
      work.accept()
    } else if (call.cancelled !== undefined) {
      throw call.cancelled
    }
  }

  /**
   * Resolves when none of these tokens belongs to a call that runs, when `limitMs` is over, or when `call` is cancelled.
   */
  whenDone(tokens: Iterable<string>, limitMs: number, call: Call): Promise<void> {
    const open = new Set<Work>()
    for (const token of tokens) {
      const work = this.#submitted.get(token)
      if (work !== undefined) open.add(work)
    }
    if (open.size === 0 || limitMs <= 0) return Promise.resolve()
    if (this.#watching + open.size > maxWatching) return Promise.resolve()
    this.#watching += open.size
    return new Promise((resolve) => {
      let left = open.size
      const leave = () => {
        timer.stop()
        call.offCancel(leave)
        this.#watching -= open.size
        for (const work of open) work.watchers.delete(onEnd)
        resolve()
      }
      const onEnd = () => {
        left -= 1
        if (left === 0) leave()
      }
      const timer = this.#options.clock.after(limitMs, leave)
      for (const work of open) work.watchers.add(onEnd)
      call.onCancel(leave)
    })
  }

  /** Whether the call of a token runs. */
  isRunning(token: string): boolean {
    return this.#submitted.has(token)
  }

  /** Results were told to somebody. */
  collected(tokens: readonly string[]): void {
    this.store.collected(tokens)
    for (const token of tokens) this.#fresh.delete(token)
    if (this.#fresh.size === 0) this.#onCollected?.()
  }

  /**
   * Takes no new calls; resolves when none runs and the results that came meanwhile were collected, or had 2 s to be, or when
   * `signal` aborts.
   */
  async drain(signal?: AbortSignal): Promise<void> {
    this.#draining = true
    if (this.#works.size > 0) await untilDone((done) => void this.#onIdle.push(done), signal)
    if (this.#fresh.size === 0) return
    const collected = Promise.withResolvers<void>()
    this.#onCollected = collected.resolve
    const timer = this.#options.clock.after(collectMs, collected.resolve)
    await untilDone((done) => void collected.promise.then(done), signal)
    timer.stop()
  }

  /** Breaks off what runs, and says so in the log; resolves when those who wait for it have their answer. */
  async close(): Promise<void> {
    this.#draining = true
    this.#reportBroken()
    const reason = new CoveyError('CANCELLED', 'the server stopped while it ran')
    for (const { call } of [...this.#works.values()]) call.cancel(reason)
    // Answers take the rest of this turn; connections are closed next.
    await new Promise((resolve) => setImmediate(resolve))
  }

  /** Forgets the results that wait in this instance alone, and says in the log how many of them nobody had collected. */
  forgetResults(): void {
    const results = this.store.close()
    if (results === 0) return
    const message = `results of submitted calls are gone with this instance that nobody has collected: ${results}`
    this.#options.log.warn({ results }, message)
  }

  /** Nothing was begun when this throws. */
  #makeRoom({ method, mode }: Call): void {
    if (method.kind !== 'unary') throw hasStreams(method)
    if (this.#draining) throw instanceStopping(this.instance)
    if (this.#works.size >= this.#maxRunning) {
      const message = `${this.#works.size} accepted calls run here already; the call was not run`
      const details = { limit: 'accepted', maxRunning: this.#maxRunning }
      throw new CoveyError('RESOURCE_EXHAUSTED', message, { details })
    }
    if (mode === 'submit') this.store.makeRoom(this.#submitted.size)
  }

  #start(work: Work, run: Handler): void {
    // A handler may go on for a while after its time is over; its caller does not wait for that.
    work.call.onCancel((error) => this.#end(work, { error }))
    run(work.call).then(
      (value) => this.#end(work, { value }),
      (error) => this.#end(work, { error: CoveyError.from(error) }),
    )
  }

  #end(work: Work, outcome: Outcome): void {
    if (work.state === 'ended') return
    const { error } = outcome
    if (work.state === 'asked' && error !== undefined) {
      work.state = 'ended'
      // So that middleware which comes to the handler all the same is stopped there.
      work.call.cancel(error)
      this.#forget(work)
      return work.refuse(error)
    }
    // Middleware may have answered in the place of the handler.
    if (work.state === 'asked') work.accept()
    work.state = 'ended'
    if (work.token !== undefined) return void this.#keep(work, work.token, outcome)
    if (error !== undefined) this.#report(work.call, error)
    this.#forget(work)
  }

  async #keep(work: Work, token: string, outcome: Outcome): Promise<void> {
    try {
      await this.#save(token, outcome)
      if (this.#draining) this.#fresh.add(token)
    } catch (err) {
      const { method, trace } = work.call
      const fields = { err, method: method.path, traceId: trace.traceId }
      this.#options.log.error(fields, `${method.path}: its result could not be kept`)
    }
    this.#forget(work)
  }

  /** Where the outcome cannot be kept, that is kept; of an error at least what it says. */
  async #save(token: string, outcome: Outcome): Promise<void> {
    try {
      await this.store.save(token, encodeOutcome(outcome))
    } catch (thrown) {
      const told = outcome.error ?? CoveyError.from(thrown)
      const { code, message } = shortErrorData(told, maxMessageLength)
      const error = new CoveyError(code, message)
      await this.store.save(token, encodeOutcome({ error }))
    }
  }

  #forget(work: Work): void {
    this.#works.delete(work.call)
    if (work.token !== undefined) this.#submitted.delete(work.token)
    for (const tell of [...work.watchers]) tell()
    if (this.#works.size > 0) return
    const waiting = this.#onIdle
    this.#onIdle = []
    for (const resume of waiting) resume()
  }

  #reportBroken(): void {
    const running = this.#works.size
    if (running === 0) return
    const methods: Record<string, number> = {}
    for (const { method } of this.#works.keys()) {
      methods[method.path] = (methods[method.path] ?? 0) + 1
    }
    const message = `accepted calls were still running at the end of the time for draining and are broken off: ${running}`
    this.#options.log.warn({ running, methods }, message)
  }

  /** Nobody else hears of it. */
  #report({ method, trace }: Call, { code, message, details }: CoveyError): void {
    const fields = { code, details, method: method.path, traceId: trace.traceId }
    this.#options.log.error(fields, `${method.path}, which nobody waits for, failed: ${message}`)
  }
}
