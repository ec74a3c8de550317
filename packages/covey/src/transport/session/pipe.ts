import type { Identity } from '../../call/peer.ts'

/** Bytes both ways, in order: a TCP socket, a WebSocket, a pair of arrays in a test. */
export interface Pipe {
  /** `tcp`, `unix`, `ws`. */
  readonly protocol: string
  /** Address of the peer, for logs. */
  readonly address: string
  /** Who is at the other end, where the carrier itself proves it (a certificate). */
  readonly identity?: Identity | undefined
  /** How long the carrier's own handshake has taken, in milliseconds: a part of `handshakeMs`. Default 0. */
  readonly setupMs?: number
  /** Whether the bytes of `data` are only lent: they are overwritten when it has returned. Default false. */
  readonly lends?: boolean
  /**
   * Whether the system closes it by itself, within `silenceMs`, when the machine of the peer or the way to it is gone while nothing
   * is sent. Default false.
   */
  readonly guarded?: boolean
  /** Bytes handed over and not sent. What was handed over in one piece may count until all of it is sent. */
  readonly queuedBytes: number
  /** A number that changes while the system takes the bytes of one piece. Default: only `queuedBytes` tells. */
  readonly sendingBytes?: number | undefined
  /** Begins to deliver events. Called once. */
  open(events: PipeEvents): void
  /** @returns true if nobody reads `bytes` any more, so that their memory may be written again */
  write(bytes: Uint8Array): boolean
  /** Stops and resumes reading; the peer feels it. */
  pause(): void
  resume(): void
  /** Whether the process should stay alive for this pipe. */
  hold(on: boolean): void
  /** Closes when everything handed over is sent. */
  end(): void
  /** Closes now. */
  destroy(): void
  /** Runs something at the end of this turn of the event loop. */
  soon(run: () => void): void
}

/** What a pipe tells its owner. */
export interface PipeEvents {
  data(bytes: Uint8Array): void
  /** `queuedBytes` is down to nothing. */
  drained(): void
  /** Nothing comes any more. Told once. */
  closed(cause?: Error): void
}
