import type { ChildExit, ChildHandle } from './spawn-child.ts'

/** A process that was started, and when, on the monotonic clock. */
export interface ChildRun {
  readonly handle: ChildHandle
  readonly startedMs: number
}

/** What a supervised process is doing. */
export type ChildState =
  /** Nothing runs and nothing will: not started yet, told to stop, or ended with `restart: 'never'`. */
  | { readonly kind: 'stopped'; readonly exit?: ChildExit }
  /** It runs and has not said that it is ready. */
  | { readonly kind: 'starting'; readonly run: ChildRun }
  | { readonly kind: 'running'; readonly run: ChildRun }
  /** It ended and is started again at `untilMs` on the monotonic clock. */
  | { readonly kind: 'backoff'; readonly exit: ChildExit; readonly untilMs: number }
  /** It was told to end. `next` says what follows: nothing, or a new start because it hung. */
  | { readonly kind: 'stopping'; readonly run: ChildRun; readonly next: 'stopped' | 'restart' }

/** The process behind a state, if there is one. */
export function runOf(state: ChildState): ChildRun | undefined {
  return 'run' in state ? state.run : undefined
}

/** `exited with code 1`, `was ended by SIGKILL`, `could not be started: …` */
export function describeExit({ code, signal, error }: ChildExit): string {
  if (error !== undefined) return `could not be started: ${error}`
  return signal === null ? `exited with code ${code}` : `was ended by ${signal}`
}
