import type { Timer } from '../../base/clock.ts'
import type { Peer } from '../../call/peer.ts'
import type { Codec } from '../../codec/codec.ts'
import { chooseCodec } from '../../codec/codecs.ts'
import type { Frame } from '../../codec/frame/frame-type.ts'
import { CoveyError } from '../../error/covey-error.ts'
import { identifiedLate, identify } from '../identify.ts'
import type { Dispatcher, ListenOptions } from '../transport.ts'
import type { FrameLink } from './frame-link.ts'
import { type Introduction, ServerHandshake } from './server-handshake.ts'

/** What the two ends of a connection agreed on, as the server sees it. */
export interface Agreed {
  readonly version: number
  readonly codec: Codec
  readonly peer: Peer
  /** Why it proved no key, where one was asked for and not demanded. */
  readonly unproved: string | undefined
  /** Bytes of a stream that the client takes ahead of its reader. */
  readonly peerWindowBytes: number
}

/** What a greeting needs beside its link. */
export interface ServerGreetingOptions {
  readonly dispatcher: Dispatcher
  readonly listen: ListenOptions
  /** The client as far as its carrier knows it. */
  readonly peer: Peer
  /** How much of `handshakeMs` is over, in milliseconds. */
  readonly setupMs: number
  /** The welcome is sent. */
  onReady(agreed: Agreed): void
  /** The client is not taken, for a reason that it may know. */
  refuse(reason: CoveyError): void
}

/**
 * The beginning of a connection at the server's end, up to the welcome: the client introduces itself, proves its key where one
 * is demanded, and is let in or not. All of it within `handshakeMs`.
 */
export class ServerGreeting {
  readonly #link: FrameLink
  readonly #options: ServerGreetingOptions
  readonly #handshake: ServerHandshake
  readonly #timer: Timer
  #introduced = false

  constructor(link: FrameLink, options: ServerGreetingOptions) {
    this.#link = link
    this.#options = options
    this.#handshake = new ServerHandshake(link, options.listen)
    const { clock, limits } = options.listen
    const leftMs = Math.max(0, limits.handshakeMs - options.setupMs)
    this.#timer = clock.after(leftMs, () => {
      const { handshakeMs } = limits
      options.refuse(
        this.#introduced
          ? identifiedLate(handshakeMs)
          : new CoveyError('PROTOCOL_ERROR', `no handshake within ${handshakeMs} ms`),
      )
    })
  }

  /** Whether it waits for the client, and not for a decision of this side. */
  get waitsForClient(): boolean {
    return !this.#introduced
  }

  /** Takes a hello or a proof. @throws CoveyError `UNAUTHENTICATED`, `PROTOCOL_ERROR` */
  take(frame: Frame): void {
    if (this.#introduced) throw new CoveyError('PROTOCOL_ERROR', 'a second hello')
    const introduction = this.#handshake.take(frame)
    if (introduction !== undefined) this.#admit(introduction)
  }

  /** Nothing more is waited for. */
  stop(): void {
    this.#timer.stop()
  }

  #admit(introduction: Introduction): void {
    this.#introduced = true
    const { hello, version, identity } = introduction
    const codec = chooseCodec(hello.codecs, version)
    if (codec === undefined) {
      throw new CoveyError('PROTOCOL_ERROR', `no common codec among: ${hello.codecs.join(', ')}`)
    }
    const { dispatcher, listen, refuse } = this.#options
    const { instance } = dispatcher
    if (hello.instance !== undefined && hello.instance !== instance) {
      const message = `instance ${hello.instance} is not here; this is ${instance}`
      return refuse(new CoveyError('UNAVAILABLE', message))
    }
    const { peer: known } = this.#options
    const peer = { ...known, identity: known.identity ?? identity }
    identify(listen, hello.credential, peer)
      .then((found = peer.identity) =>
        this.#welcome(introduction, codec, { ...peer, identity: found }),
      )
      .catch((error) => refuse(CoveyError.from(error)))
  }

  #welcome(introduction: Introduction, codec: Codec, peer: Peer): void {
    if (!this.#link.open) return
    const { dispatcher, listen, onReady } = this.#options
    const { maxFrameBytes, streamWindowBytes } = listen.limits
    const { hello, version, unproved } = introduction
    const welcome = {
      covey: version,
      codec: codec.name,
      instance: dispatcher.instance,
      maxFrameBytes,
      streamWindowBytes: version === 1 ? undefined : streamWindowBytes,
      methods: dispatcher.methods.map(({ path }) => path),
    }
    this.#link.established(hello.maxFrameBytes)
    this.#handshake.greet(welcome, introduction)
    this.stop()
    onReady({ version, codec, peer, unproved, peerWindowBytes: hello.streamWindowBytes })
  }
}
