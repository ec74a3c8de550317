import { Worker } from 'node:worker_threads'
import type { Clock } from '../../base/clock.ts'
import { CoveyError } from '../../error/covey-error.ts'
import type { Log } from '../../observe/log.ts'
import { wantsColor } from '../../observe/render-line.ts'
import type { FrameworkSettings } from '../../settings/framework-settings.ts'
import { ProbeBoard, type ProbeState } from './probe-board.ts'
import { lookMs, type ProbeThreadData, type ProbeThreadStart } from './probe-thread-data.ts'

/** A thread that has not said a word by then will not, in milliseconds; it takes 50 to 300. */
const firstWordMs = 10_000

/** What a probe needs beside its settings. */
export interface ProbeOptions {
  /** Name of the application, for the log. */
  readonly app: string
  readonly clock: Clock
  readonly log: Log
}

/** A port where a platform asks whether the process lives and is ready. */
export interface Probe {
  /** `http://127.0.0.1:9100` */
  readonly address: string
  /** What `/ready` says while the event loop turns. `starting` at first. */
  state: ProbeState
  /** Closes the port and ends the thread. */
  close(): Promise<void>
}

/**
 * Opens a port that is answered by a thread of its own, which sees within a second that the event loop of this one
 * stands still. The thread says so on standard error, and `log` tells afterwards how long it was.
 *
 * @returns undefined where the settings ask for none
 * @throws CoveyError `ADDRESS_IN_USE`, `START_FAILED`
 */
export async function openProbe(
  settings: FrameworkSettings,
  { app, clock, log }: ProbeOptions,
): Promise<Probe | undefined> {
  const { port } = settings.probe
  if (port === undefined) return undefined
  const board = new ProbeBoard()
  const worker = startThread({
    ...settings.probe,
    port,
    app,
    shared: board.shared,
    warn: !['error', 'silent'].includes(settings.logLevel),
    color: wantsColor(process.env, true),
  })
  const address = await firstWord(worker, clock)
  log.info({ address }, 'the probe listens')
  let closing: Promise<unknown> | undefined
  worker.on('error', (err) => log.error({ err }, 'the thread of the probe has failed'))
  worker.on('exit', () => {
    if (closing === undefined)
      log.error({ address }, 'the probe is gone: nobody answers its port any more')
  })
  worker.unref()
  const timer = clock.every(lookMs, turnTeller(board, clock, log))
  return {
    address,
    get state() {
      return board.state
    },
    set state(now) {
      board.state = now
    },
    async close() {
      timer.stop()
      closing ??= worker.terminate()
      await closing
    },
  }
}

function startThread(data: ProbeThreadData): Worker {
  // Only there with --permission.
  if (process.permission?.has('worker') === false) {
    const message = 'covey.probe needs a thread, which --permission forbids: add --allow-worker'
    throw new CoveyError('START_FAILED', message)
  }
  // Published packages hold JavaScript.
  const script = import.meta.url.endsWith('.ts') ? './probe-thread.ts' : './probe-thread.js'
  return new Worker(new URL(script, import.meta.url), {
    workerData: data,
    name: 'covey probe',
    // What was asked of this process (hooks, loaders, debuggers) is not meant for a thread that only answers.
    execArgv: [],
    env: {},
    resourceLimits: { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 4 },
  })
}

/**
 * What a thread says first; one that does not is ended.
 * @throws CoveyError why it does not listen
 */
export async function firstWord(worker: Worker, clock: Clock): Promise<string> {
  try {
    const said = await heard(worker, clock)
    if ('address' in said) return said.address
    throw CoveyError.fromData({ ...said.error, message: `covey.probe: ${said.error.message}` })
  } catch (error) {
    await worker.terminate()
    throw error
  }
}

async function heard(worker: Worker, clock: Clock): Promise<ProbeThreadStart> {
  const { promise, resolve, reject } = Promise.withResolvers<ProbeThreadStart>()
  const fail = (why: string, cause?: Error) => {
    reject(new CoveyError('START_FAILED', `covey.probe: its thread ${why}`, { cause }))
  }
  const onError = (cause: Error) => fail(`cannot start: ${cause.message}`, cause)
  const onExit = (code: number) => fail(`ended with code ${code} before it listened`)
  const timer = clock.after(firstWordMs, () => fail(`did not listen within ${firstWordMs} ms`))
  worker.once('message', resolve).once('error', onError).once('exit', onExit)
  try {
    return await promise
  } finally {
    timer.stop()
    worker.off('message', resolve).off('error', onError).off('exit', onExit)
  }
}

/** Tells the probe's thread that this one turns, and the log how long it did not. */
function turnTeller(board: ProbeBoard, clock: Clock, log: Log): () => void {
  let turnedMs = clock.monotonicMs()
  board.beat()
  return () => {
    const now = clock.monotonicMs()
    const ownMs = now - turnedMs
    turnedMs = now
    board.beat()
    // By word of the thread alone: a process that was stopped as a whole had a loop that was not blocked.
    const seenMs = board.takeStall()
    if (seenMs === 0) return
    const forMs = Math.round(Math.max(ownMs, seenMs))
    log.warn({ forMs }, `the event loop turns again; it was blocked for ${forMs} ms`)
  }
}
