import type { ChildExit, ChildHandle } from '../supervisor/spawn-child.ts'

/** A process that a test plays: it ends when the test says so, and notes what it was told. */
export class ScriptedChild implements ChildHandle {
  readonly pid: number
  readonly exited: Promise<ChildExit>
  /** What it was told, in order. */
  readonly told: ('terminate' | 'kill')[] = []
  readonly #exit = Promise.withResolvers<ChildExit>()

  constructor(pid: number) {
    this.pid = pid
    this.exited = this.#exit.promise
  }

  terminate(): void {
    this.told.push('terminate')
  }

  /** Nothing survives a kill, so it ends. */
  kill(): void {
    this.told.push('kill')
    this.#exit.resolve({ code: null, signal: 'SIGKILL' })
  }

  /** Ends it by itself. */
  exit(code: number): void {
    this.#exit.resolve({ code, signal: null })
  }
}
