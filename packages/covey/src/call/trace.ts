import { toHex } from '../base/hex.ts'

/** Place of a call in a trace, as in W3C Trace Context. */
export interface TraceContext {
  /** 32 lower-case hexadecimal digits, the same for everything one request caused. */
  readonly traceId: string
  /** 16 lower-case hexadecimal digits, of this call alone. */
  readonly spanId: string
  /** Whether somebody decided to record this trace. */
  readonly sampled: boolean
  /** What tracing systems say to one another beside that (`tracestate`), as `name=value,…`; mostly nothing. */
  readonly state: string
  /** All but `state` as the header `traceparent`, for calls to others over HTTP: `00-<trace id>-<span id>-<flags>`. */
  readonly traceparent: string
}

/** 16 bytes trace id, 8 bytes span id, 1 byte flags. */
export const traceBytes = 25

const spanStart = 16
const flagsAt = 24

/**
 * A trace context as it travels: bytes. They are made into text only when somebody looks, which most calls do not.
 */
export class Trace implements TraceContext {
  /** Not to be changed. */
  readonly bytes: Uint8Array
  readonly state: string

  /**
   * @param bytes `traceBytes` of them, taken over
   * @param state what `readTraceState` gave
   */
  constructor(bytes: Uint8Array, state = '') {
    this.bytes = bytes
    this.state = state
  }

  get traceId(): string {
    return toHex(this.bytes, 0, spanStart)
  }

  get spanId(): string {
    return toHex(this.bytes, spanStart, flagsAt)
  }

  /** Bit 0 of the flags. */
  get sampled(): boolean {
    return (this.bytes[flagsAt]! & 1) === 1
  }

  /** Source: W3C Trace Context. */
  get traceparent(): string {
    return `00-${this.traceId}-${this.spanId}-${this.sampled ? '01' : '00'}`
  }
}

/** A new trace, or the next span of `parent`. */
export function nextSpan(parent?: Trace): Trace {
  const bytes = new Uint8Array(traceBytes)
  if (parent === undefined) {
    fillRandom(bytes, 0)
    return new Trace(bytes)
  }
  bytes.set(parent.bytes)
  fillRandom(bytes, spanStart)
  return new Trace(bytes, parent.state)
}

const pool = new Uint8Array(4096)
let used = pool.length

/**
 * Random bytes up to the flags. They come from the platform's secure source, 4 KiB at a time because one request a call
 * would cost more than the rest of the call.
 */
function fillRandom(bytes: Uint8Array, start: number): void {
  if (used + flagsAt > pool.length) {
    crypto.getRandomValues(pool)
    used = 0
  }
  for (let at = start; at < flagsAt; at++) bytes[at] = pool[used++]!
}
