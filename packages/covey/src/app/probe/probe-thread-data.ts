import type { ErrorData } from '../../error/covey-error.ts'
import type { ProbeLimits } from './probe-answer.ts'

/** How often the probe's thread looks after the event loop, and the event loop tells that it turns, in milliseconds. */
export const lookMs = 100

/** A loop that stands still for longer is written to the log, in milliseconds. */
export const reportedMs = 1_000

/** What the probe's thread is started with. */
export interface ProbeThreadData extends ProbeLimits {
  /** That of the board. */
  readonly shared: SharedArrayBuffer
  /** Name of the application, for the log. */
  readonly app: string
  readonly host: string
  readonly port: number
  /** Whether a blocked loop is written to the log. */
  readonly warn: boolean
  /** Whether a terminal gets colours. */
  readonly color: boolean
}

/** The first word of the probe's thread: where it listens, or why it cannot. */
export type ProbeThreadStart = { readonly address: string } | { readonly error: ErrorData }
