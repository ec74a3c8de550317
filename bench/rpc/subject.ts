import type { Figures, Load } from './load.ts'
import type { Payload } from './payload.ts'

/**
 * One framework under measurement: the module of a subject exports exactly these two functions.
 * Both run in processes of their own, so a subject may keep what it likes in its module and never
 * has to clean up after its server.
 */
export interface Subject {
  /**
   * Listens on 127.0.0.1:`port` and answers each call with what it got. Resolves when it accepts
   * calls.
   */
  startServer(port: number): Promise<void>
  /**
   * Opens `connections` connections to such a server and spreads calls over them. Subjects over
   * HTTP/1.1, where a connection carries one call at a time, open as many as there are calls in flight.
   */
  connect(port: number, connections: number): Promise<BenchClient>
}

/** A client of a subject. What it has says which scenarios it can do; see `subjects.ts`. */
export interface BenchClient {
  /** One unary call. Rejects on any failure. */
  echo?(payload: Payload): Promise<Payload>
  /** One unary call with a list of objects. */
  echoList?(list: Payload[]): Promise<Payload[]>
  /** A server stream of `createPayload(0)` to `createPayload(count - 1)`, one message each. */
  count?(count: number): AsyncIterable<Payload>
  /** A server stream of `total` bytes in chunks of at most `chunkBytes`, filled by `createChunk`. */
  bytes?(total: number): AsyncIterable<Uint8Array>
  /** A client that is no JavaScript makes the closed loop of `measure` itself. */
  measure?(load: Load): Promise<Figures>
  close(): Promise<void>
}

/** Size of a chunk of the stream of bytes. */
export const chunkBytes = 64 * 1024

/** What every chunk of a stream of bytes holds. */
export function createChunk(): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: chunkBytes }, (_, index) => index % 251)
}

/** The sizes of the chunks that make `total` bytes, for servers. */
export function* chunkSizes(total: number): Generator<number> {
  for (let left = total; left > 0; left -= chunkBytes) yield Math.min(left, chunkBytes)
}
