/** Bounds on everything that arrives from outside. */
export interface Limits {
  /** Largest frame, header and body, in bytes. Default 4 MiB. */
  readonly maxFrameBytes: number
  /** Most metadata of one call, in bytes. Default 16 KiB. */
  readonly maxMetadataBytes: number
  /** Most baggage of one call, in bytes, as W3C Baggage asks for at the least. Default 8 KiB. */
  readonly maxBaggageBytes: number
  /**
   * Time for a unary call whose caller asks for more or for no end, at the server, in milliseconds; what the contract says where that is
   * longer. Default 3,600,000, an hour; `Infinity` for none.
   */
  readonly maxDeadlineMs: number
  /** Calls in flight on one connection, and those given up whose handlers are still at work. Default 1,000 × 16 = 16,384. */
  readonly maxCallsPerConnection: number
  /** Calls to one service that wait for its first connection. Default 10,000. */
  readonly maxWaitingCalls: number
  /** Calls with a stream of inputs among them, each of which may hold a window of bytes. Default 1,024. */
  readonly maxStreamsPerConnection: number
  /** Connections to one listener; one address that is not of this machine has at most half of them. Default 10,000. */
  readonly maxConnections: number
  /**
   * Connections to one listener that are shaking hands, or that have not sent the whole head of a first request. One address gives
   * up to others what it has beyond half of them. Default 256.
   */
  readonly maxHandshakes: number
  /**
   * Connects of one address to one listener a second, in the long run; of IPv6 the first 64 bits are an address, and those of this machine
   * have no such limit. `Infinity` for none. Default 200: a machine full of services, or a client that connects for each call; TLS handshakes
   * take a fifth of a processor then. A gateway allows 20.
   */
  readonly maxConnectsPerSecond: number
  /** Connects of one address that may come at once, before that counts: a whole fleet comes back after a restart. Default 1,000. */
  readonly maxConnectBurst: number
  /**
   * Calls of one connection that are opened and given up again in their first moments, within 10 seconds, before further ones are
   * put off by up to 100 ms, so that those that are given up are not begun; only where they are more than two thirds of its calls. A
   * client that goes on with a hundred times as many is closed. Default 1,000.
   */
  readonly maxEarlyCancels: number
  /** Bytes waiting to be sent to one peer before answers and elements wait, and a client is no longer read. Default 1 MiB. */
  readonly maxQueuedBytes: number
  /**
   * Bytes waiting to be sent to all clients of one listener. From half of it on a client has 64 KiB in place of `maxQueuedBytes`;
   * above it those are cut off that have taken nothing for longest. Default 64 MiB.
   */
  readonly maxListenerQueuedBytes: number
  /**
   * Bytes of calls waiting at a client to be sent on one connection, or, about, for the first connection to a service, before further calls are
   * refused. Default 64 MiB.
   */
  readonly maxUnsentBytes: number
  /** Time without a byte taken by a peer for which more than `maxQueuedBytes` wait, in milliseconds. Default 10,000. */
  readonly slowReaderMs: number
  /** Bytes a stream may send ahead of its reader. Default 512 KiB. */
  readonly streamWindowBytes: number
  /**
   * Bytes of all streams of one connection that wait for their readers; for each element 64 more than on the wire. Above it streams
   * that hold more than a `maxStreamsPerConnection`th of it are ended. Default 128 MiB.
   */
  readonly maxUnreadBytes: number
  /** Time for connecting and for the handshake, in milliseconds. Default 1,000 and 5,000. */
  readonly connectMs: number
  readonly handshakeMs: number
  /**
   * Silence after which a peer is asked whether it is there, while something is expected of it: calls are in flight, or what
   * was sent last may not have arrived. In milliseconds. Default 1,000.
   */
  readonly pingMs: number
  /** Silence after which such a peer counts as gone, in milliseconds. Default 3,000. */
  readonly silenceMs: number
  /**
   * Silence, the second half of it behind a ping, after which a server that has calls is said to stand still: new calls go
   * to other instances until it is heard again. In milliseconds; `Infinity` for never. Default 800.
   */
  readonly stallMs: number
  /**
   * Silence after which an idle peer is asked, in milliseconds; as early as after three quarters of it, so that not all are asked
   * at once. One that does not answer within `silenceMs` counts as gone. Only for connections that the system guards by itself,
   * as it does for TCP, TLS and unix sockets; on others idle peers are asked after `pingMs`. Default 25,000, which is below the patience of proxies.
   */
  readonly idlePingMs: number
  /** Time for the rest of a frame that has begun, in milliseconds. Default 30,000. */
  readonly partialFrameMs: number
}

/** Source of the numbers: `docs/rpc.md`, Limits. */
export const defaultLimits: Limits = Object.freeze({
  maxFrameBytes: 4 * 1024 * 1024,
  maxMetadataBytes: 16 * 1024,
  maxBaggageBytes: 8 * 1024,
  maxDeadlineMs: 3_600_000,
  maxCallsPerConnection: 16_384,
  maxWaitingCalls: 10_000,
  maxStreamsPerConnection: 1_024,
  maxConnections: 10_000,
  maxHandshakes: 256,
  maxConnectsPerSecond: 200,
  maxConnectBurst: 1_000,
  maxEarlyCancels: 1_000,
  maxQueuedBytes: 1024 * 1024,
  maxListenerQueuedBytes: 64 * 1024 * 1024,
  maxUnsentBytes: 64 * 1024 * 1024,
  slowReaderMs: 10_000,
  streamWindowBytes: 512 * 1024,
  maxUnreadBytes: 128 * 1024 * 1024,
  connectMs: 1_000,
  handshakeMs: 5_000,
  pingMs: 1_000,
  silenceMs: 3_000,
  stallMs: 800,
  idlePingMs: 25_000,
  partialFrameMs: 30_000,
})
