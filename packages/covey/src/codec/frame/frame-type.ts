/**
 * What a frame is for. A receiver ignores types from 128 up that it does not know and closes the connection on
 * any other unknown one. 13 to 15 are reserved for calls without result and for results collected later.
 */
export const frameType = {
  /** Client's first frame: who it is and what it can. Body: JSON. */
  hello: 1,
  /** Server's answer: what was chosen, and the table of methods. Body: JSON. */
  welcome: 2,
  /** A call: head, then the input. */
  call: 3,
  /** The result of a unary call. */
  result: 4,
  /** A call failed. Body: `{ code, message, details? }`. */
  error: 5,
  /** The caller no longer wants the call. No body. */
  cancel: 6,
  /** One element of a stream. */
  item: 7,
  /** The stream is complete. No body. */
  end: 8,
  /** The reader took this many bytes of the stream. Body: u32. */
  credit: 9,
  /** Are you there? No body. */
  ping: 10,
  /** Yes. No body. */
  pong: 11,
  /** Send me no new calls; those in flight go on. No body. */
  goAway: 12,
} as const

/** Bits of a call frame's flags. */
export const callFlag = {
  /** 25 bytes of trace context follow. */
  trace: 1,
  /** Metadata follows. */
  metadata: 2,
} as const

/** Length, type, flags and id. */
export const frameHeadBytes = 10

/** A frame as it lies in memory: `body` is `bytes` from `start` to `end`. */
export interface Frame {
  readonly type: number
  readonly flags: number
  /** Number of the call; 0 for frames about the connection. */
  readonly id: number
  readonly bytes: Uint8Array
  readonly start: number
  readonly end: number
}
