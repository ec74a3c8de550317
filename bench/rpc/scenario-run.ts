import type { RpcOptions } from './options.ts'
import type { SubjectName } from './subjects.ts'

/** What a scenario gets to run. */
export interface ScenarioRun {
  readonly options: RpcOptions
  /** Those of the wanted subjects that can do it, in the order of the report. */
  readonly subjects: readonly SubjectName[]
  /** A line of progress for people. */
  say(line: string): void
  /** Does one piece of work; a failure is noted, fails the run at its end, and gives undefined. */
  attempt<T>(what: string, work: () => Promise<T>): Promise<T | undefined>
}
