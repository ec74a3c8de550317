import type { Timer } from '../../base/clock.ts'
import type { Peer } from '../../call/peer.ts'
import { type Frame, frameType } from '../../codec/frame/frame-type.ts'
import { CoveyError } from '../../error/covey-error.ts'
import { callerGone, instanceStopping, serverStopped } from '../endings.ts'
import type { Dispatcher, ListenOptions } from '../transport.ts'
import { FrameLink, type LinkOwner } from './frame-link.ts'
import type { Pipe } from './pipe.ts'
import { RunningCalls, type RunningCallsEvents } from './running-calls.ts'
import type { SendBudget } from './send-budget.ts'
import { type Agreed, ServerGreeting } from './server-greeting.ts'

/** A stranger sends no more than this before it has introduced itself. */
const maxHelloBytes = 64 * 1024

/** What a session needs. */
export interface ServerSessionOptions extends ListenOptions {
  /** What it shares with the other connections of its listener. Default: nothing */
  readonly budget?: SendBudget | undefined
}

/** What sessions report to their listener. */
export interface ServerSessionEvents extends RunningCallsEvents {
  /** The handshake is done. */
  onReady?(session: ServerSession): void
  onClosed(reason: CoveyError | undefined, session: ServerSession): void
}

/**
 * The server's end of a connection, from its first frame to its end: a greeting, then calls. When the peer goes, its
 * calls are cancelled.
 */
export class ServerSession implements LinkOwner {
  readonly #pipe: Pipe
  readonly #dispatcher: Dispatcher
  readonly #options: ListenOptions
  readonly #events: ServerSessionEvents
  readonly #link: FrameLink
  /** Until the welcome. */
  #greeting: ServerGreeting | undefined
  /** Since the welcome. */
  #calls: RunningCalls | undefined
  #peer: Peer | undefined
  #goingAway = false
  #draining = false
  #forgetUnproved: (() => void) | undefined
  #goodbye: Timer | undefined

  constructor(
    pipe: Pipe,
    dispatcher: Dispatcher,
    options: ServerSessionOptions,
    connectionId: string,
    events: ServerSessionEvents,
  ) {
    this.#pipe = pipe
    this.#dispatcher = dispatcher
    this.#options = options
    this.#events = events
    this.#link = new FrameLink(pipe, this, options, maxHelloBytes)
    const { protocol, address, identity, setupMs = 0 } = pipe
    this.#greeting = new ServerGreeting(this.#link, {
      dispatcher,
      listen: options,
      peer: { protocol, address, connectionId, identity },
      setupMs,
      onReady: (agreed) => this.#onReady(agreed),
      refuse: (reason) => this.refuse(reason),
    })
  }

  /** Calls that run now. */
  get running(): number {
    return this.#calls?.size ?? 0
  }

  /** Whether there is something to wait for before it is closed: a call that runs, or one that may be on its way. */
  get busy(): boolean {
    return this.running > 0 || this.#goodbye !== undefined
  }

  /** Where it comes from, for logs. */
  get origin(): Pick<Pipe, 'protocol' | 'address'> {
    return this.#pipe
  }

  /** Who is there, once the handshake is done. */
  get peer(): Peer | undefined {
    return this.#peer
  }

  /** Whether the handshake waits for the client, and not for a decision of this side. */
  get waitsForClient(): boolean {
    return this.#greeting?.waitsForClient === true && !this.#goingAway && this.#link.open
  }

  /** Takes no new calls but those that are served to the end; those that run go on. A client that is let in later is told then. */
  goAway(): void {
    if (this.#goingAway) return
    this.#goingAway = true
    if (this.#calls !== undefined) this.#sendAway(this.#calls)
  }

  /** Does what `goAway` does, and lets nobody in any more. */
  drain(): void {
    this.#draining = true
    this.goAway()
  }

  #sendAway(calls: RunningCalls): void {
    if (this.#link.open) this.#sayGoodbye()
    calls.goAway()
  }

  /**
   * Calls that left before the client read of the end are still to be answered: that they were not run, or, of streams of inputs, with
   * their result. So the end is when the client has answered, or is silent.
   */
  #sayGoodbye(): void {
    const { clock, limits } = this.#options
    const done = () => {
      this.#goodbye?.stop()
      this.#goodbye = undefined
      this.#calls?.clientKnows()
      this.#events.onIdle()
    }
    this.#goodbye = clock.after(limits.silenceMs, done)
    this.#link.send(frameType.goAway, 0, 0)
    this.#link.whenAnswered(done)
  }

  /** Sends what is waiting and closes. */
  close(): void {
    this.#link.end()
    this.#calls?.cancelAll(serverStopped())
  }

  /** Tells the peer why, and closes. */
  refuse(reason: CoveyError): void {
    if (!this.#link.open) return
    this.#link.sayFarewell(reason)
    this.close()
  }

  /** For its link. */
  get answers(): boolean {
    return true
  }

  /** For its link. */
  get hasCalls(): boolean {
    return this.running > 0
  }

  /** For its link. */
  onFrame(frame: Frame): void {
    switch (frame.type) {
      case frameType.hello:
      case frameType.proof:
        return this.#onIntroduction(frame)
      case frameType.error:
        return this.#link.fail(new CoveyError('PROTOCOL_ERROR', 'the client refused our frames'))
      default:
        if (frame.type < 128) this.#established(frame).take(frame)
    }
  }

  #established({ type }: Frame): RunningCalls {
    if (this.#calls !== undefined) return this.#calls
    throw new CoveyError('PROTOCOL_ERROR', `frame type ${type} before the handshake`)
  }

  #onIntroduction(frame: Frame): void {
    if (this.#draining) {
      return this.refuse(instanceStopping(this.#dispatcher.instance))
    }
    if (this.#greeting === undefined) throw new CoveyError('PROTOCOL_ERROR', 'a second hello')
    this.#greeting.take(frame)
  }

  #onReady(agreed: Agreed): void {
    this.#greeting = undefined
    this.#peer = agreed.peer
    this.#calls = new RunningCalls(this.#link, {
      dispatcher: this.#dispatcher,
      listen: this.#options,
      agreed,
      pipe: this.#pipe,
      events: this.#events,
    })
    if (agreed.unproved !== undefined) this.#noteUnproved(agreed.unproved)
    this.#events.onReady?.(this)
    if (this.#goingAway) this.#sendAway(this.#calls)
  }

  #noteUnproved(why: string): void {
    const { address } = this.#pipe
    this.#forgetUnproved = this.#options.unproved?.add({ role: 'client', address, why })
  }

  /** For its link. */
  onClosed(reason: CoveyError | undefined): void {
    this.#forgetUnproved?.()
    this.#greeting?.stop()
    this.#goodbye?.stop()
    this.#calls?.cancelAll(callerGone())
    this.#events.onClosed(reason, this)
  }
}
