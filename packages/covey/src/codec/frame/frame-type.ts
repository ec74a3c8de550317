/**
 * What a frame is for. A receiver ignores types from 128 up that it does not know and closes the connection on
 * any other unknown one. Types from 13 on, and what is said to be so, need version 2 of the protocol.
 */
export const frameType = {
  /** Client's first frame: who it is and what it can. Body: JSON. */
  hello: 1,
  /** Server's answer: what was chosen, and the table of methods. Body: JSON. */
  welcome: 2,
  /** A call: head, then the input. */
  call: 3,
  /** The result of a unary call or of a client stream. */
  result: 4,
  /** A call failed. Body: `{ code, message, details? }`. */
  error: 5,
  /** The caller no longer wants the call. No body; in version 2 also `{ code, message }`. */
  cancel: 6,
  /** One element of a stream; from the client in version 2. */
  item: 7,
  /** The stream is complete; from the client in version 2. No body. */
  end: 8,
  /** The reader took this many bytes of the stream; from the server in version 2. Body: u32. */
  credit: 9,
  /** Are you there? No body. */
  ping: 10,
  /** Yes. No body. */
  pong: 11,
  /** Send me no new calls; those in flight go on. No body. */
  goAway: 12,
  /** A call whose caller wants to know only that it has begun. Body: as of a call. */
  notify: 13,
  /** A call whose result is kept for whoever asks with its token. Body: as of a call. */
  submit: 14,
  /** A notify or submit has begun. Body: nothing, or the token. */
  accepted: 15,
  /** The server's part of proving a key. Body: JSON. */
  challenge: 16,
  /** The client's part of proving a key. Body: JSON. */
  proof: 17,
  /** The keys of objects to come, under a number. Body: u16, then a list of texts in MessagePack. */
  shape: 18,
} as const

/** Bits of the flags of frames that begin with the head of a call: call, notify, submit. */
export const callFlag = {
  /** 25 bytes of trace context follow. */
  trace: 1,
  /** Metadata follows. */
  metadata: 2,
  /** Baggage follows. Version 2. */
  baggage: 4,
} as const

/** Flag of frames with a value of the codec in them: the body is u32 plain size, then one zstd frame. Version 2. */
export const compressedFlag = 64

/** Whether frames of this type and number may have a compressed body. */
export function mayBeCompressed(type: number, id: number): boolean {
  switch (type) {
    case frameType.call:
    case frameType.notify:
    case frameType.submit:
    case frameType.result:
    case frameType.item:
      return true
    default:
      return type === frameType.error && id !== 0
  }
}
/** The length field, which does not count itself. */
export const lengthBytes = 4

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
