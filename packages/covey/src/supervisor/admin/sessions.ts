import { createHash, randomBytes } from 'node:crypto'
import type { Clock } from '../../base/clock.ts'

/** A session that is not used for this long is over. */
const idleMs = 30 * 60_000
/** More at once nobody needs; the oldest goes when there are more. */
const maxSessions = 100

/** Who is logged in to the console. Lives in memory: a new supervisor asks for the token again. */
export class Sessions {
  readonly #clock: Clock
  /** By the hash of their id, so that looking one up tells nothing about ids through its time. */
  readonly #usedMs = new Map<string, number>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Opens a session and returns its id, 32 random bytes. */
  open(): string {
    const id = randomBytes(32).toString('base64url')
    this.#usedMs.set(hash(id), this.#clock.monotonicMs())
    const [oldest] = this.#usedMs.keys()
    if (this.#usedMs.size > maxSessions && oldest !== undefined) this.#usedMs.delete(oldest)
    return id
  }

  /** Whether the session is open; it counts as used then. */
  touch(id: string): boolean {
    const key = hash(id)
    const usedMs = this.#usedMs.get(key)
    if (usedMs === undefined) return false
    this.#usedMs.delete(key)
    const nowMs = this.#clock.monotonicMs()
    if (nowMs - usedMs > idleMs) return false
    this.#usedMs.set(key, nowMs)
    return true
  }

  /** Ends a session; an unknown one is none. */
  close(id: string): void {
    this.#usedMs.delete(hash(id))
  }
}

function hash(id: string): string {
  return createHash('sha256').update(id).digest('base64')
}
