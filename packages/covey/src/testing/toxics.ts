/** What is done to the bytes of one direction of a connection. Everything is off by default ({@link noToxics}). */
export interface Toxics {
  /** Time by which bytes are held back, in milliseconds. */
  readonly latencyMs: number
  /** Up to so many milliseconds more or less than `latencyMs`, at random; the order of the bytes stays. */
  readonly jitterMs: number
  /** Bytes that get through in a second. */
  readonly bytesPerSecond: number
  /** Bytes arrive in pieces of 1 to so many, each in a turn of the event loop of its own. 1: one by one. */
  readonly sliceBytes: number
  /** The connection is reset (RST, both ways) when exactly so many bytes of it have got through. */
  readonly cutAfterBytes: number
  /** Chance for each chunk that the connection is reset instead. */
  readonly cutChance: number
  /** The connection is ended (FIN, both ways) when exactly so many bytes of it have got through. */
  readonly endAfterBytes: number
  /**
   * Bytes and ends vanish, nobody is told: a half-open connection. One that lost bytes so stays dead for good; those
   * opened after this is off again live.
   */
  readonly swallow: boolean
  /** Nothing gets through, and nothing is lost: it comes when this is off again. */
  readonly hold: boolean
  /** Chance for each chunk that it comes behind the next one (or 20 ms later, if none comes). */
  readonly reorderChance: number
  /** Chance for each chunk that it comes twice. */
  readonly duplicateChance: number
  /** Chance for each chunk that one of its bytes is another one. */
  readonly corruptChance: number
  /** Time by which an end (FIN) comes later, in milliseconds. */
  readonly slowCloseMs: number
}

/** Bytes pass as they come. */
export const noToxics: Toxics = Object.freeze({
  latencyMs: 0,
  jitterMs: 0,
  bytesPerSecond: Number.POSITIVE_INFINITY,
  sliceBytes: Number.POSITIVE_INFINITY,
  cutAfterBytes: Number.POSITIVE_INFINITY,
  cutChance: 0,
  endAfterBytes: Number.POSITIVE_INFINITY,
  swallow: false,
  hold: false,
  reorderChance: 0,
  duplicateChance: 0,
  corruptChance: 0,
  slowCloseMs: 0,
})
