import { type ChildProcess, spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import { type Clock, systemClock } from '../base/clock.ts'
import { LineSplitter } from './log/line-splitter.ts'
import { sendSignal } from './send-signal.ts'

/** What to run. */
export interface ChildCommand {
  /** Absolute path of the script. */
  readonly entry: string
  readonly args: readonly string[]
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** Called with each line of its output. */
  readonly onLine: (stream: 'stdout' | 'stderr', text: string) => void
}

/** How a process ended: with a code, by a signal, or before it began. */
export interface ChildExit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** Why it could not be started at all. */
  readonly error?: string
}

/** A process that was started. */
export interface ChildHandle {
  /** Undefined when it could not be started; `exited` says why. */
  readonly pid: number | undefined
  /** Resolves when it is gone and its output has been read. Never rejects. */
  readonly exited: Promise<ChildExit>
  /** Asks the process to end (SIGTERM). */
  terminate(): void
  /** Ends the process and all it started, at once (SIGKILL to its group). */
  kill(): void
}

/** Starts a process. Tests put a scripted one in its place. */
export type SpawnChild = (command: ChildCommand) => ChildHandle

/** Time for output that is still on its way when a process has ended. */
const lastOutputMs = 1_000

/**
 * Runs a script with this Node in a process group of its own, so that a Ctrl-C in the terminal reaches only the
 * supervisor and a kill reaches all that the process started. Its standard input is a pipe that stays open as
 * long as the supervisor lives: its end tells the process that it is alone.
 */
export function spawnChild(command: ChildCommand, clock: Clock = systemClock): ChildHandle {
  let child: ChildProcess
  try {
    child = startProcess(command)
  } catch (error) {
    return failedStart(error as Error)
  }
  child.stdin?.on('error', () => {})
  readLines(child.stdout, (text) => command.onLine('stdout', text))
  readLines(child.stderr, (text) => command.onLine('stderr', text))
  const { pid } = child
  return {
    pid,
    exited: whenExited(child, clock),
    terminate: () => pid !== undefined && sendSignal(pid, 'SIGTERM'),
    kill: () => pid !== undefined && sendSignal(-pid, 'SIGKILL'),
  }
}

/** The type without certain pipes is on purpose: with too many open files Node makes none. */
function startProcess({ entry, args, cwd, env }: ChildCommand): ChildProcess {
  return spawn(process.execPath, [entry, ...args], {
    cwd,
    env,
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  })
}

function failedStart({ message }: Error): ChildHandle {
  const exited = Promise.resolve({ code: null, signal: null, error: message })
  return { pid: undefined, exited, terminate() {}, kill() {} }
}

function readLines(stream: Readable | null, onLine: (text: string) => void): void {
  const lines = new LineSplitter(onLine)
  stream?.on('data', (chunk: Buffer) => lines.push(chunk))
  stream?.once('close', () => lines.end())
  stream?.on('error', () => {})
}

function whenExited(child: ChildProcess, clock: Clock): Promise<ChildExit> {
  return new Promise((resolve) => {
    child.once('error', (error) => {
      if (child.pid === undefined) resolve({ code: null, signal: null, error: error.message })
    })
    child.once('exit', (code, signalName) => {
      const exit = { code, signal: signalName }
      /** What the process started dies with it; otherwise it would hold the output pipes open. */
      if (child.pid !== undefined) sendSignal(-child.pid, 'SIGKILL')
      const timer = clock.after(lastOutputMs, () => closeOutput(child))
      child.once('close', () => {
        timer.stop()
        resolve(exit)
      })
    })
  })
}

/** A process that left the group may still hold the pipes; nobody waits for it. */
function closeOutput({ stdout, stderr }: ChildProcess): void {
  stdout?.destroy()
  stderr?.destroy()
}
