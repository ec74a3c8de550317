import { afterReading } from '../../base/after-reading.ts'
import type { Call } from '../../call/call.ts'
import { chooseCodec } from '../../codec/codecs.ts'
import { type Frame, frameType } from '../../codec/frame/frame-type.ts'
import { CoveyError } from '../../error/covey-error.ts'
import { closedHere, instanceStopping } from '../endings.ts'
import { servedToTheEnd } from '../served-to-the-end.ts'
import type { Connection, ConnectionState, ConnectOptions } from '../transport.ts'
import { CallWriter } from './call-writer.ts'
import { ClientHandshake } from './client-handshake.ts'
import { foreignProtocol } from './foreign-protocol.ts'
import { FrameLink, type LinkOwner } from './frame-link.ts'
import { readFarewell, type Welcome } from './hello.ts'
import { PendingCalls } from './pending-calls.ts'
import type { Pipe } from './pipe.ts'
import { ValueLink } from './value-link.ts'

/**
 * The client's end of a connection, from the hello to its end: a handshake, then calls. It never reports a call as not run
 * unless that is certain.
 */
export class ClientSession implements Connection, LinkOwner {
  readonly closed: Promise<CoveyError | undefined>
  readonly invoke = (call: Call): Promise<unknown> => this.#invoke(call)
  readonly #options: ConnectOptions
  readonly #pipe: Pipe
  readonly #link: FrameLink
  /** Until the welcome. */
  #handshake: ClientHandshake | undefined
  /** Since the welcome. */
  #calls: PendingCalls | undefined
  readonly #lastId: number
  readonly #welcome = Promise.withResolvers<void>()
  readonly #ended = Promise.withResolvers<CoveyError | undefined>()
  #instance = ''
  #forgetUnproved: (() => void) | undefined
  #goingAway = false
  #closeReason: CoveyError | undefined

  /** @param lastId the first call gets the next number; for tests of what follows the highest one */
  constructor(pipe: Pipe, options: ConnectOptions, lastId = 0) {
    this.#options = options
    this.#lastId = lastId
    this.#pipe = pipe
    this.closed = this.#ended.promise
    // A failure before anybody waits for the handshake is reported by `handshake`.
    this.#welcome.promise.catch(() => {})
    this.#link = new FrameLink(pipe, this, options)
    this.#handshake = new ClientHandshake(this.#link, options)
  }

  get pending(): number {
    return this.#calls?.size ?? 0
  }

  get state(): ConnectionState {
    if (!this.#link.open) return 'closed'
    if (this.#goingAway) return 'draining'
    return this.#link.stalled ? 'stalled' : 'open'
  }

  get stalledMs(): number | undefined {
    return this.#link.stalledMs
  }

  probe(): Promise<void> {
    return new Promise((resolve) => this.#link.whenAnswered(resolve))
  }

  /** Id of the instance at the other end. */
  get instance(): string {
    return this.#instance
  }

  /** Answers that came for calls that had been given up, or twice; they were dropped. */
  get lateAnswers(): number {
    return this.#calls?.lateAnswers ?? 0
  }

  /** Introduces this side and waits for the answer, within `handshakeMs`. If it fails the connection is closed. */
  async handshake(): Promise<void> {
    const { limits, clock } = this.#options
    this.#handshake!.begin()
    const timer = afterReading(clock, limits.handshakeMs, () => {
      this.#link.fail(new CoveyError('UNAVAILABLE', `no handshake within ${limits.handshakeMs} ms`))
    })
    try {
      await this.#welcome.promise
      // An idle connection is no reason for a process to live on.
      this.#pipe.hold(this.pending > 0)
    } catch (error) {
      this.#pipe.destroy()
      throw error
    } finally {
      timer.stop()
    }
  }

  async close(): Promise<void> {
    this.#link.end()
    this.#calls?.failAll(closedHere())
    // Whoever waits for the end, at the end of a script, is to see it: the process may have nothing else to live for.
    this.#pipe.hold(true)
    await this.closed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #invoke(call: Call): Promise<unknown> {
    const calls = this.#calls
    const refusal = this.#refusal(call)
    if (refusal !== undefined) return Promise.reject(refusal)
    return calls!.invoke(call)
  }

  #refusal({ cancelled, method }: Call): CoveyError | undefined {
    if (!this.#link.open || this.#calls === undefined) {
      const why = this.#link.open ? 'no handshake yet' : (this.#closeReason?.message ?? 'closed')
      return new CoveyError('UNAVAILABLE', `no connection: ${why}`)
    }
    if (cancelled !== undefined) return cancelled
    if (!this.#goingAway || servedToTheEnd(method)) return undefined
    return instanceStopping(this.#instance)
  }

  /** For its link. */
  get answers(): boolean {
    return false
  }

  /** For its link. */
  get hasCalls(): boolean {
    return this.pending > 0
  }

  /** For its link. */
  onStalled(): void {
    this.#options.onStalled?.()
  }

  /** For its link. */
  onFrame(frame: Frame): void {
    const calls = this.#calls
    if (calls === undefined) return this.#greeting(frame)
    if (frame.type === frameType.goAway) return this.#onGoAway()
    if (isFarewell(frame)) return this.#link.fail(readFarewell(frame))
    if (frame.type < 128) calls.take(frame)
  }

  #greeting(frame: Frame): void {
    if (isFarewell(frame)) return this.#link.fail(readFarewell(frame))
    const welcome = this.#handshake!.take(frame)
    if (welcome !== undefined) this.#accept(welcome)
  }

  #accept(welcome: Welcome): void {
    const { instance: expected, limits } = this.#options
    if (expected !== undefined && welcome.instance !== expected) {
      const message = `expected instance ${expected}, found ${welcome.instance}`
      return this.#link.fail(new CoveyError('UNAVAILABLE', message))
    }
    const codec = chooseCodec([welcome.codec], welcome.covey)
    if (codec === undefined) {
      throw new CoveyError('PROTOCOL_ERROR', `the server chose an unknown codec "${welcome.codec}"`)
    }
    const values = new ValueLink(this.#link, codec, limits)
    this.#calls = new PendingCalls(this.#link, {
      pipe: this.#pipe,
      values,
      writer: new CallWriter(this.#link, values, welcome),
      maxCalls: limits.maxCallsPerConnection,
      maxUnsentBytes: limits.maxUnsentBytes,
      peerWindowBytes: welcome.streamWindowBytes ?? 0,
      lastId: this.#lastId,
      onLateAnswer: this.#options.onLateAnswer,
    })
    this.#noteUnproved(this.#handshake!)
    this.#handshake = undefined
    this.#instance = welcome.instance
    this.#link.established(welcome.maxFrameBytes)
    this.#welcome.resolve()
  }

  #noteUnproved({ unproved: why }: ClientHandshake): void {
    if (why === undefined) return
    const { address } = this.#pipe
    this.#forgetUnproved = this.#options.unproved?.add({ role: 'server', address, why })
  }

  #onGoAway(): void {
    if (this.#goingAway) return
    this.#goingAway = true
    this.#options.onDraining?.()
  }

  /** For its link. */
  onClosed(reason: CoveyError | undefined): void {
    this.#closeReason = reason
    this.#forgetUnproved?.()
    this.#welcome.reject(asUnavailable(reason, this.#pipe.protocol))
    this.#calls?.failAll(reason ?? closedHere())
    this.#ended.resolve(reason)
  }
}

/** An error about the connection itself. */
function isFarewell({ type, id }: Frame): boolean {
  return type === frameType.error && id === 0
}

/** Before the handshake nothing can be lost: the peer is just not there. */
function asUnavailable(reason: CoveyError | undefined, protocol: string): CoveyError {
  if (reason === undefined) return new CoveyError('CANCELLED', 'closed before the handshake')
  if (reason.code !== 'CONNECTION_LOST') return foreignProtocol(reason) ?? reason
  const tls = protocol === 'tcp' ? '; a server that wants TLS (tls://) does so' : ''
  const message = `${reason.message} before it said who it is${tls}`
  return new CoveyError('UNAVAILABLE', message, { cause: reason })
}
