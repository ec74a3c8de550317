import type { Call } from '../call/call.ts'
import type { Handler } from '../call/handler.ts'
import type { ContextRunner } from '../call/input-source.ts'
import type { CoveyError } from '../error/covey-error.ts'

/** A call that waits to be begun, with the promise of its outcome. */
export class WaitingCall {
  readonly call: Call
  readonly outcome: Promise<unknown>
  readonly #next: Handler
  readonly #run: ContextRunner
  #resolve!: (outcome: unknown) => void
  #reject!: (reason: unknown) => void

  /** @param run goes back to where the call came from */
  constructor(call: Call, next: Handler, run: ContextRunner) {
    this.call = call
    this.#next = next
    this.#run = run
    this.outcome = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  /** It is not begun. */
  refuse(reason: CoveyError): void {
    this.#reject(reason)
  }

  /** Never throws. */
  begin(): void {
    try {
      this.#resolve(this.#run(() => this.#next(this.call)))
    } catch (error) {
      this.#reject(error)
    }
  }
}

/** Those of one connection, in the order in which they came. */
class Queue {
  #calls: WaitingCall[] = []
  /** Place of the first one; what lies before it is gone. */
  #head = 0

  get length(): number {
    return this.#calls.length - this.#head
  }

  get last(): WaitingCall {
    return this.#calls.at(-1)!
  }

  push(waiting: WaitingCall): void {
    this.#calls.push(waiting)
  }

  pop(): WaitingCall {
    return this.#calls.pop()!
  }

  shift(): WaitingCall {
    const first = this.#calls[this.#head]!
    this.#head += 1
    if (this.#head === this.#calls.length || this.#head === 64) {
      this.#calls = this.#calls.slice(this.#head)
      this.#head = 0
    }
    return first
  }
}

/**
 * Calls that wait to be begun: those of one connection in their order, connections in turns, so that one which sends many
 * does not hold up one which sends few. Source: Nagle, "On packet switches with infinite storage", RFC 970 (1985).
 */
export class WaitingLine {
  /** By connection; the one whose turn it is comes first. */
  readonly #queues = new Map<string, Queue>()
  #size = 0

  get size(): number {
    return this.#size
  }

  /** How many are begun before a further call of this connection would be. */
  ahead(connectionId: string): number {
    const own = this.#queues.get(connectionId)
    const rounds = (own?.length ?? 0) + 1
    const connections = this.#queues.size + (own === undefined ? 1 : 0)
    return Math.min(this.#size, rounds * connections - 1)
  }

  push(waiting: WaitingCall): void {
    const { connectionId } = waiting.call.peer
    let queue = this.#queues.get(connectionId)
    if (queue === undefined) {
      queue = new Queue()
      this.#queues.set(connectionId, queue)
    }
    queue.push(waiting)
    this.#size += 1
  }

  /** Takes out a call that is the only one of its connection. @returns false, and does nothing, if it is not */
  take(waiting: WaitingCall): boolean {
    const { connectionId } = waiting.call.peer
    const queue = this.#queues.get(connectionId)
    if (queue?.length !== 1 || queue.last !== waiting) return false
    this.#queues.delete(connectionId)
    this.#size -= 1
    return true
  }

  /** Whether calls of a connection wait. */
  has(connectionId: string): boolean {
    return this.#queues.has(connectionId)
  }

  /** The next one, or undefined if nobody waits. */
  shift(): WaitingCall | undefined {
    for (const [connectionId, queue] of this.#queues) {
      const first = queue.shift()
      this.#size -= 1
      this.#queues.delete(connectionId)
      if (queue.length > 0) this.#queues.set(connectionId, queue)
      return first
    }
    return undefined
  }

  /** Takes out the last ones of each connection for which `tooLate` is true, given how many are ahead of it. */
  trim(tooLate: (call: Call, ahead: number) => boolean): WaitingCall[] {
    const taken: WaitingCall[] = []
    const connections = this.#queues.size
    let turn = 0
    for (const [connectionId, queue] of this.#queues) {
      while (queue.length > 0) {
        const ahead = Math.min(this.#size - 1, (queue.length - 1) * connections + turn)
        if (!tooLate(queue.last.call, ahead)) break
        taken.push(queue.pop())
        this.#size -= 1
      }
      if (queue.length === 0) this.#queues.delete(connectionId)
      else turn += 1
    }
    return taken
  }
}
