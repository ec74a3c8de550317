import type { FrameLink } from './frame-link.ts'

/** An answer that waits. A class for the reason that `PendingCall` gives. */
class HeldAnswer<Call> {
  readonly id: number
  readonly running: Call
  readonly type: number
  readonly value: unknown

  constructor(id: number, running: Call, type: number, value: unknown) {
    this.id = id
    this.running = running
    this.type = type
    this.value = value
  }
}

/**
 * Answers that wait until a client has taken those before them. They wait as the values that handlers gave: thousands of calls that
 * end at once would otherwise be thousands of messages, each a copy of its own.
 */
export class HeldAnswers<Call> {
  readonly #link: Pick<FrameLink, 'full' | 'open' | 'whenRoom'>
  readonly #send: (id: number, running: Call, type: number, value: unknown) => void
  #waiting: HeldAnswer<Call>[] = []

  /** @param send what is to be done with each, in its turn */
  constructor(
    link: Pick<FrameLink, 'full' | 'open' | 'whenRoom'>,
    send: (id: number, running: Call, type: number, value: unknown) => void,
  ) {
    this.#link = link
    this.#send = send
  }

  add(id: number, running: Call, type: number, value: unknown): void {
    this.#waiting.push(new HeldAnswer(id, running, type, value))
    if (this.#waiting.length === 1) this.#link.whenRoom(this.#onRoom)
  }

  /** Sends what there is room for. When the link is closed nothing waits any more. */
  readonly #onRoom = (): void => {
    let sent = 0
    for (const { id, running, type, value } of this.#waiting) {
      if (this.#link.open && this.#link.full) break
      this.#send(id, running, type, value)
      sent += 1
    }
    this.#waiting.splice(0, sent)
    if (this.#waiting.length > 0) this.#link.whenRoom(this.#onRoom)
  }
}
