import type { Clock } from '../base/clock.ts'
import type { Call } from '../call/call.ts'
import type { Handler } from '../call/handler.ts'
import type { MethodRef } from '../call/method-ref.ts'
import type { Identity, Peer } from '../call/peer.ts'
import type { CoveyError } from '../error/covey-error.ts'
import type { Log } from '../observe/log.ts'
import type { Limits } from './limits.ts'
import type { LinkOptions } from './link-options.ts'

/** One way to carry calls. Sister folders (`memory/ tcp/ ws/ http/`) each make one. */
export interface Transport {
  /** The URL scheme it serves: `tcp`, `memory`, … */
  readonly protocol: string
  /** Looks at an address before it is used. @throws TypeError that says how one is written */
  check(address: string): void
  /**
   * Opens a connection and shakes hands.
   * @throws CoveyError `UNAVAILABLE` if nobody answers in time, `UNAUTHENTICATED`, `PROTOCOL_ERROR`
   */
  connect(address: string, options: ConnectOptions): Promise<Connection>
  /**
   * Takes calls at an address; `tcp://127.0.0.1:0` finds a free port.
   * @throws CoveyError `ADDRESS_IN_USE`
   */
  listen(address: string, dispatcher: Dispatcher, options: ListenOptions): Promise<Listener>
}

/** What a client end tells its owner of a change of its state. */
export interface ConnectionEvents {
  /** Called once, when the server says that it takes no new calls on this connection. */
  onDraining?(): void
  /** The other end stands still, or was heard again. */
  onStalled?(): void
  /** Called for each answer that is dropped because its call was given up before, or was answered already. */
  onLateAnswer?(): void
}

/** Where a connection stands. */
export type ConnectionState =
  | 'open'
  /** It takes calls, but nothing was heard of its other end for `stallMs`, also when it was asked. */
  | 'stalled'
  /** The server said that it takes no new calls. */
  | 'draining'
  | 'closed'

/** What a client end needs. */
export interface ConnectOptions extends LinkOptions, ConnectionEvents {
  readonly limits: Limits
  readonly clock: Clock
  /** The instance that must be there; another one is refused. */
  readonly instance?: string | undefined
  /** Proves to the server who is calling. */
  readonly credential?: string | undefined
  readonly signal?: AbortSignal | undefined
}

/** What a server end needs. */
export interface ListenOptions extends LinkOptions {
  readonly limits: Limits
  readonly clock: Clock
  /** Turns a credential into an identity, or throws `UNAUTHENTICATED`. Default: nobody is asked. */
  readonly authenticate?: Authenticate | undefined
  /** Told of peers that were refused or cut off for what they sent. Default: nobody. */
  readonly log?: Log | undefined
}

/**
 * Decides who is at the other end of a new connection. `peer.identity` is what the connection itself has proved (a
 * certificate, a key); it stays when the answer is undefined.
 */
export type Authenticate = (
  credential: string | undefined,
  peer: Peer,
) => Promise<Identity | undefined>

/** What a server end hands calls to. */
export interface Dispatcher {
  /** Id of the instance, told to clients in the handshake. */
  readonly instance: string
  /** All methods, in the order of their numbers on the wire. */
  readonly methods: readonly MethodRef[]
  /** Runs a call: validation, middleware, handler. */
  readonly serve: Handler
  /**
   * Runs a call of mode `notify` or `submit`, detached from its caller. Resolves when the handler has begun, with the token of the
   * result to come where there is one. Rejects when the call was refused: then the handler was not begun, and never will be.
   * Until then cancelling the call takes it back; from then on it does nothing. A server without this function takes no such calls.
   */
  readonly accept?: (call: Call) => Promise<string | undefined>
}

/** A connection to one instance, with many calls in flight. */
export interface Connection extends AsyncDisposable {
  /** Sends a call. Rejects at once with a `CoveyError` when the connection is closed. */
  readonly invoke: Handler
  /** Id of the instance at the other end, where the transport tells. */
  readonly instance?: string
  /** Calls without a result yet. */
  readonly pending: number
  readonly state: ConnectionState
  /** While it is `stalled`: for how long nothing was heard, in milliseconds. */
  readonly stalledMs?: number | undefined
  /** Settles when the connection is gone, with the reason unless this side closed it. */
  readonly closed: Promise<CoveyError | undefined>
  /** Asks the other end whether it is there, where the transport can; resolves when it has answered, and never if it does not. */
  probe?(): Promise<void>
  /** Closes at once; calls in flight fail. */
  close(): Promise<void>
}

/** An address that takes calls. */
export interface Listener extends AsyncDisposable {
  /** Where it listens, with the port that was found. */
  readonly address: string
  /** Connections open now. */
  readonly connections: number
  /**
   * Tells peers to send nothing new, and refuses new calls with `DRAINING`, but those of methods that are `servedToTheEnd` (for these
   * connections are still taken) and, over HTTP, those of clients that have not read it yet. Streams of results end with
   * `CONNECTION_LOST`. Calling it again does nothing.
   */
  goAway(): void
  /**
   * Does what `goAway` does, takes no more connections, and resolves when no call is in flight or on its way, or when `signal`
   * aborts.
   */
  drain(signal?: AbortSignal): Promise<void>
  /** Closes all connections at once. */
  close(): Promise<void>
}
