import { LatestStates } from '../base/latest-states.ts'
import type { PresenceChange } from '../contracts/presence.ts'

/** Somebody who follows the presence of some users. A slow one gets the newest state, not each step. */
export class PresenceWatch {
  readonly userIds: readonly string[]
  readonly #states = new LatestStates<string, boolean>()
  #wake: (() => void) | undefined

  constructor(userIds: readonly string[]) {
    this.userIds = [...new Set(userIds)]
  }

  /** Says how it is with a user. Saying the same again is nothing new. */
  tell(userId: string, online: boolean): void {
    this.#states.set(userId, online)
    this.#wake?.()
  }

  /** What is new, until `signal` aborts. */
  async *changes(signal: AbortSignal): AsyncGenerator<PresenceChange> {
    const onAbort = () => this.#wake?.()
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      while (!signal.aborted) {
        const next = this.#states.take()
        if (next !== undefined) yield { userId: next[0], online: next[1] }
        else {
          await new Promise<void>((resolve) => {
            this.#wake = resolve
          })
        }
      }
    } finally {
      signal.removeEventListener('abort', onAbort)
    }
  }
}
