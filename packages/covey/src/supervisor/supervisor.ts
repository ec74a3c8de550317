import { rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Clock, Timer } from '../base/clock.ts'
import { CoveyError } from '../error/covey-error.ts'
import type { Log } from '../observe/log.ts'
import { instanceName, type LogSource } from '../observe/log-line.ts'
import { childEnv } from './child-env.ts'
import { forgetChild, recordChild } from './child-records.ts'
import { describeExit } from './child-state.ts'
import type { FleetProcess } from './fleet.ts'
import type { HealthProbe } from './health-probe.ts'
import type { LoadedFleet } from './load-fleet.ts'
import type { LogHub } from './log/log-hub.ts'
import { namePortOwner } from './port-owner.ts'
import { type ProcessStatus, processStatus } from './process-status.ts'
import { UsageMeter } from './process-usage.ts'
import { restartText, whyNotStarted } from './restart-text.ts'
import type { RunFolder } from './run-folder.ts'
import type { SpawnChild } from './spawn-child.ts'
import { type FailedStart, StartOutput } from './start-output.ts'
import { startWaves } from './start-waves.ts'
import { type ChildEvent, SupervisedChild } from './supervised-child.ts'

/** What a supervisor needs. */
export interface SupervisorOptions {
  readonly loaded: LoadedFleet
  /** The processes to run, some of the fleet's or all. */
  readonly processes: readonly FleetProcess[]
  readonly runFolder: RunFolder
  /** Where control sockets lie. */
  readonly socketFolder: string
  readonly hub: LogHub
  readonly log: Log
  readonly clock: Clock
  /** Environment that children inherit. */
  readonly env: NodeJS.ProcessEnv
  /** Numbers in [0, 1) for the jitter of delays. */
  readonly random: () => number
  readonly spawn: SpawnChild
  readonly probe: (socketPath: string, clock: Clock) => HealthProbe
}

/** One copy of a process. */
interface Copy {
  readonly name: string
  readonly process: FleetProcess
  readonly replica: number
  /** Settles when it is ready for the first time. */
  readonly ready: PromiseWithResolvers<void>
  wasReady: boolean
  /** What it writes, and which of it is shown. */
  readonly output: StartOutput
  /** Runs while one that nobody asks for its health has yet to show that it stays. */
  settling: Timer | undefined
  /** Why the supervisor ended it before it was ready. */
  killed: string | undefined
}

interface RunningCopy {
  readonly copy: Copy
  readonly child: SupervisedChild
}

/** EX_CONFIG of sysexits.h: bad settings or an address in use; another try will not help by itself. */
const hopelessExit = 78
/** One that nobody asks for its health has started well when it runs this long. */
const settleMs = 5_000

/** Runs the processes of a fleet: starts them in order, keeps them running, stops them in the opposite order. */
export class Supervisor {
  readonly #options: SupervisorOptions
  readonly #waves: readonly (readonly RunningCopy[])[]
  readonly #usage: UsageMeter
  readonly #failure = Promise.withResolvers<never>()
  /** `starting` until all were ready once: only then is a hopeless process a reason to give up. */
  #phase: 'new' | 'starting' | 'up' | 'stopping' = 'new'

  constructor(options: SupervisorOptions) {
    this.#options = options
    this.#usage = new UsageMeter(options.clock)
    this.#failure.promise.catch(() => {})
    const { waves } = startWaves(options.processes)
    this.#waves = waves.map((wave) => wave.flatMap((process) => this.#copies(process)))
  }

  /** Most milliseconds that `stop` takes: each wave as long as its slowest process, and a little more. */
  get stopLimitMs(): number {
    const limits = this.#waves.map((wave) => wave.map(({ copy }) => copy.process.stopTimeoutMs))
    return limits.reduce((sum, wave) => sum + Math.max(...wave) + 2_000, 0)
  }

  /**
   * Starts everything and resolves when all were ready, however many tries that takes, or when it is told to stop.
   * @throws CoveyError `START_FAILED` when a process says that its settings are wrong, or has ended and nothing is to
   * start it again; the others are left to `stop`
   */
  async start(): Promise<void> {
    this.#phase = 'starting'
    for (const wave of this.#waves) {
      for (const { child } of wave) child.start()
      const ready = Promise.all(wave.map(({ copy }) => copy.ready.promise))
      await Promise.race([ready, this.#failure.promise])
      if (this.#phase !== 'starting') return
    }
    this.#phase = 'up'
  }

  /** Stops everything, last started first. */
  async stop(): Promise<void> {
    this.#phase = 'stopping'
    for (const wave of this.#waves.toReversed()) {
      await Promise.all(wave.map(({ child }) => child.stop()))
    }
    for (const { copy } of this.#waves.flat()) copy.ready.resolve()
  }

  /** Ends everything at once; `stop` then resolves soon. */
  kill(): void {
    this.#phase = 'stopping'
    for (const { child } of this.#waves.flat()) child.kill()
  }

  /** All copies, in the order of the config. */
  processes(): ProcessStatus[] {
    const running = this.#waves.flat()
    return this.#options.processes.flatMap(({ name }) => {
      const own = running.filter(({ copy }) => copy.process.name === name)
      return own.map(({ copy, child }) => this.#status(copy, child))
    })
  }

  #status({ name, process, replica, output }: Copy, child: SupervisedChild): ProcessStatus {
    const what = { name, process: process.name, replica, reason: output.reason ?? null }
    return processStatus(what, child, this.#usage, this.#options.clock)
  }

  #copies(process: FleetProcess): RunningCopy[] {
    return Array.from({ length: process.replicas }, (_, replica) => {
      const name = instanceName({ process: process.name, replica })
      const ready = Promise.withResolvers<void>()
      const output = this.#output({ process: process.name, replica })
      const state = { wasReady: false, settling: undefined, killed: undefined }
      const copy: Copy = { name, process, replica, ready, output, ...state }
      return { copy, child: this.#child(copy) }
    })
  }

  #output(source: LogSource): StartOutput {
    const { hub } = this.#options
    return new StartOutput(({ stream, text }, where) => hub.append(source, stream, text, where))
  }

  #child(copy: Copy): SupervisedChild {
    const { clock, loaded, probe, random, runFolder, socketFolder, spawn } = this.#options
    const { name, output, process, replica } = copy
    const socket = join(socketFolder, `${name}.sock`)
    const health = probe(socket, clock)
    const command = {
      entry: resolve(loaded.folder, process.entry),
      args: process.args,
      cwd: loaded.folder,
      env: childEnv(this.#options.env, { process, replica, root: runFolder.root, socket }),
      onLine: (stream: 'stdout' | 'stderr', text: string) => output.take({ stream, text }),
    }
    const child = new SupervisedChild({
      settings: process,
      clock,
      random,
      probe: health,
      spawn: () => {
        output.begin()
        health.reset()
        this.#try(`the socket of ${name} cannot be removed`, () => rmSync(socket, { force: true }))
        return spawn(command)
      },
      onEvent: (event) => this.#onEvent(copy, child, event),
    })
    return child
  }

  #onEvent(copy: Copy, child: SupervisedChild, event: ChildEvent): void {
    const { log, runFolder } = this.#options
    const { name, process } = copy
    if (event.kind === 'started') {
      this.#usage.measure(event.pid)
      this.#try(`${name} cannot be noted`, () => recordChild(runFolder.run, name, event.pid))
    } else if (event.kind === 'ready') {
      copy.wasReady = true
      copy.ready.resolve()
      this.#settle(copy, () => {
        const afterMs = Math.round(event.afterMs)
        log.info({ childPid: event.pid, afterMs }, `${name} is ready`)
      })
    } else if (event.kind === 'killed') {
      copy.killed = killReason(event.why, process)
      log.warn({}, `${name} ${copy.killed} and is killed`)
    } else this.#onExit(copy, child, event)
  }

  /** What says that it is ready has started well. What nobody asks has when it stays; after a failure that is not said before. */
  #settle(copy: Copy, tell: () => void): void {
    const { output, process } = copy
    const failed = output.reason !== undefined
    if (process.health === 'covey') output.settle()
    else {
      copy.settling = this.#options.clock.after(settleMs, () => {
        output.settle()
        if (failed) tell()
      })
      if (failed) return
    }
    tell()
  }

  #onExit(copy: Copy, child: SupervisedChild, event: ChildEvent & { kind: 'exited' }): void {
    const { clock, log, runFolder } = this.#options
    const { killed, name, output } = copy
    const { asked, exit, restartMs, run } = event
    copy.settling?.stop()
    copy.killed = undefined
    this.#try(`${name} cannot be noted`, () => forgetChild(runFolder.run, name))
    if (run.handle.pid !== undefined) this.#usage.forget(run.handle.pid)
    const end = describeExit(exit)
    if (asked) {
      output.settle()
      return log.info({}, `${name} has stopped`)
    }
    const failed = exit.code === hopelessExit || (restartMs === undefined && exit.code !== 0)
    const early = restartMs === undefined && !copy.wasReady
    const hopeless = this.#phase === 'starting' && (failed || early)
    const start = output.fail(end, killed, hopeless ? 'log only' : 'everywhere')
    if (hopeless) return this.#giveUp(copy, end, start)
    const upMs = Math.round(clock.monotonicMs() - run.startedMs)
    const fields = { upMs, restarts: child.restarts }
    if (restartMs !== undefined) {
      const first = this.#phase === 'starting' && !copy.wasReady
      log.warn(fields, restartText(name, { end, restartMs, start, first }))
    } else if (failed) log.error(fields, `${name} ${end} and is not started again`)
    else log.info(fields, `${name} ${end} and is not started again`)
  }

  #giveUp({ name, process }: Copy, end: string, start: FailedStart | undefined): void {
    const { log, runFolder } = this.#options
    log.error({}, `${name} ${end} and cannot be started; the fleet stops`)
    const silent = `it ${end} and says no reason; its log is ${join(runFolder.log, `${name}.log`)}`
    const message = namePortOwner(whyNotStarted(name, start?.words ?? [], silent))
    this.#failure.reject(
      new CoveyError('START_FAILED', message, { details: { process: process.name } }),
    )
  }

  /** Notes for a later supervisor are worth less than a process that runs: a full disk must not stop one. */
  #try(what: string, action: () => void): void {
    try {
      action()
    } catch (error) {
      this.#options.log.warn({ reason: (error as Error).message }, what)
    }
  }
}

function killReason(
  why: (ChildEvent & { kind: 'killed' })['why'],
  { startTimeoutMs, stopTimeoutMs }: FleetProcess,
): string {
  if (why === 'slow start') return `is not ready after ${startTimeoutMs} ms`
  if (why === 'slow stop') return `has not stopped after ${stopTimeoutMs} ms`
  return 'does not answer'
}
