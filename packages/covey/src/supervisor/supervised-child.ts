import { type Backoff, createBackoff } from '../base/backoff.ts'
import type { Clock, Timer } from '../base/clock.ts'
import { type ChildRun, type ChildState, runOf } from './child-state.ts'
import type { FleetProcess } from './fleet.ts'
import type { HealthProbe } from './health-probe.ts'
import type { ChildExit, ChildHandle } from './spawn-child.ts'

/** A process that was up this long was well; its next end is followed by the shortest delay again. */
const stableMs = 60_000
/** How often a starting process is asked whether it is ready. */
const startProbePeriodMs = 50
/** How often a running process is asked whether it lives, and how long it may take to answer. */
const probePeriodMs = 1_000
const probeTimeoutMs = 1_000
/** Unanswered questions in a row after which a process counts as hung. */
const maxMisses = 3

/** Something that happened to a supervised process. */
export type ChildEvent =
  | { readonly kind: 'started'; readonly pid: number }
  | { readonly kind: 'ready'; readonly pid: number | undefined; readonly afterMs: number }
  /** It is killed: it did not become ready in time, answers no longer, or did not stop when told to. */
  | { readonly kind: 'killed'; readonly why: 'slow start' | 'hung' | 'slow stop' }
  /** It is gone. `restartMs` is the delay until it is started again; undefined when it is not. */
  | {
      readonly kind: 'exited'
      readonly exit: ChildExit
      readonly run: ChildRun
      readonly asked: boolean
      readonly restartMs: number | undefined
    }

/** What a supervised process needs. */
export interface SupervisedChildOptions {
  readonly settings: Pick<FleetProcess, 'restart' | 'health' | 'startTimeoutMs' | 'stopTimeoutMs'>
  /** Starts the process. */
  readonly spawn: () => ChildHandle
  /** Asks it how it is. */
  readonly probe: Pick<HealthProbe, 'check'>
  readonly clock: Clock
  /** Numbers in [0, 1) for the jitter of delays. */
  readonly random: () => number
  readonly onEvent: (event: ChildEvent) => void
}

/**
 * Keeps one process running: starts it, watches its health, starts it again when it ends or hangs, with delays from
 * 100 ms that double up to 30 s and have full jitter. It never gives up and never spins.
 */
export class SupervisedChild {
  readonly #options: SupervisedChildOptions
  readonly #backoff: Backoff
  #state: ChildState = { kind: 'stopped' }
  /** The time limit of the present state, and its next question about health; both end with it. */
  #limit: Timer | undefined
  #question: Timer | undefined
  #starts = 0
  #stopped = Promise.withResolvers<void>()

  constructor(options: SupervisedChildOptions) {
    this.#options = options
    const { random } = options
    this.#backoff = createBackoff({ baseMs: 100, minMs: 100, maxMs: 30_000, random })
  }

  get state(): ChildState {
    return this.#state
  }

  /** How often it was started again. */
  get restarts(): number {
    return Math.max(0, this.#starts - 1)
  }

  /** Starts the process; does nothing unless it is stopped. */
  start(): void {
    if (this.#state.kind !== 'stopped') return
    this.#stopped = Promise.withResolvers<void>()
    this.#spawn()
  }

  /** Asks the process to end, kills it after `stopTimeoutMs`, and resolves when it is gone for good. */
  async stop(): Promise<void> {
    const run = runOf(this.#state)
    if (this.#state.kind === 'stopped') return
    if (run === undefined) this.#enterStopped()
    else if (this.#state.kind === 'stopping') this.#state = { ...this.#state, next: 'stopped' }
    else this.#terminate(run)
    await this.#stopped.promise
  }

  /** Ends the process, and all it started, at once. It stays stopped. */
  kill(): void {
    const run = runOf(this.#state)
    if (this.#state.kind === 'stopped') return
    if (run === undefined) return this.#enterStopped()
    this.#enter({ kind: 'stopping', run, next: 'stopped' })
    run.handle.kill()
  }

  #spawn(): void {
    this.#starts += 1
    const handle = this.#options.spawn()
    const run = { handle, startedMs: this.#options.clock.monotonicMs() }
    this.#enter({ kind: 'starting', run })
    void handle.exited.then((exit) => this.#onExit(run, exit))
    if (handle.pid === undefined) return
    this.#options.onEvent({ kind: 'started', pid: handle.pid })
    if (this.#options.settings.health === 'none') this.#enterRunning(run)
    else this.#watchStart(run)
  }

  /** Asks again and again, one question at a time, until the process says that it is ready. */
  #watchStart(run: ChildRun): void {
    const { clock, probe, settings } = this.#options
    const ask = async () => {
      const report = await probe.check(probeTimeoutMs)
      if (this.#state.kind !== 'starting' || this.#state.run !== run) return
      if (report?.state === 'ready') this.#enterRunning(run)
      else this.#question = clock.after(startProbePeriodMs, ask)
    }
    this.#limit = clock.after(settings.startTimeoutMs, () => this.#killHung(run, 'slow start'))
    this.#question = clock.after(startProbePeriodMs, ask)
  }

  #enterRunning(run: ChildRun): void {
    const { clock, onEvent, settings } = this.#options
    this.#enter({ kind: 'running', run })
    const afterMs = clock.monotonicMs() - run.startedMs
    onEvent({ kind: 'ready', pid: run.handle.pid, afterMs })
    if (settings.health === 'covey') this.#watchHealth(run)
  }

  /** Asks once a second, and at once after a question that went unanswered: a hang shows after 4 s at most. */
  #watchHealth(run: ChildRun): void {
    const { clock, probe } = this.#options
    let misses = 0
    const ask = async () => {
      const askedMs = clock.monotonicMs()
      const report = await probe.check(probeTimeoutMs)
      if (this.#state.kind !== 'running' || this.#state.run !== run) return
      misses = report === undefined ? misses + 1 : 0
      if (misses >= maxMisses) return this.#killHung(run, 'hung')
      const tookMs = clock.monotonicMs() - askedMs
      this.#question = clock.after(Math.max(0, probePeriodMs - tookMs), ask)
    }
    this.#question = clock.after(probePeriodMs, ask)
  }

  #killHung(run: ChildRun, why: 'slow start' | 'hung'): void {
    this.#rewardUptime()
    this.#enter({ kind: 'stopping', run, next: 'restart' })
    this.#options.onEvent({ kind: 'killed', why })
    run.handle.kill()
  }

  #terminate(run: ChildRun): void {
    const { clock, onEvent, settings } = this.#options
    this.#enter({ kind: 'stopping', run, next: 'stopped' })
    const killLate = () => {
      onEvent({ kind: 'killed', why: 'slow stop' })
      run.handle.kill()
    }
    this.#limit = clock.after(settings.stopTimeoutMs, killLate)
    run.handle.terminate()
  }

  #onExit(run: ChildRun, exit: ChildExit): void {
    const { onEvent, settings } = this.#options
    const asked = this.#state.kind === 'stopping' && this.#state.next === 'stopped'
    const again = !asked && settings.restart === 'always'
    this.#rewardUptime()
    const restartMs = again ? this.#backoff.next() : undefined
    if (restartMs === undefined) this.#enterStopped(exit)
    else this.#enterBackoff(exit, restartMs)
    onEvent({ kind: 'exited', exit, run, asked, restartMs })
  }

  /** Called before a process stops being well: was it long enough, its next delay is the shortest. */
  #rewardUptime(): void {
    if (this.#state.kind !== 'running') return
    const upMs = this.#options.clock.monotonicMs() - this.#state.run.startedMs
    if (upMs >= stableMs) this.#backoff.reset()
  }

  #enterBackoff(exit: ChildExit, restartMs: number): void {
    const { clock } = this.#options
    this.#enter({ kind: 'backoff', exit, untilMs: clock.monotonicMs() + restartMs })
    this.#limit = clock.after(restartMs, () => this.#spawn())
  }

  #enterStopped(exit?: ChildExit): void {
    this.#enter(exit === undefined ? { kind: 'stopped' } : { kind: 'stopped', exit })
    this.#stopped.resolve()
  }

  #enter(state: ChildState): void {
    this.#limit?.stop()
    this.#question?.stop()
    this.#state = state
  }
}
