/** Place of a call in a trace, as in W3C Trace Context. */
export interface TraceContext {
  /** 32 lower-case hexadecimal digits, the same for everything one request caused. */
  readonly traceId: string
  /** 16 lower-case hexadecimal digits, of this call alone. */
  readonly spanId: string
  /** Whether somebody decided to record this trace. */
  readonly sampled: boolean
}

/** A new trace, or the next span of `parent`. */
export function nextSpan(parent?: TraceContext): TraceContext {
  return {
    traceId: parent?.traceId ?? randomHex(16),
    spanId: randomHex(8),
    sampled: parent?.sampled ?? false,
  }
}

const hexOfByte = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))
const pool = new Uint8Array(4096)
let used = pool.length

/**
 * `size` random bytes as hexadecimal digits. They come from the platform's secure source, 4 KiB at a
 * time because one request a call would cost more than the rest of the call.
 */
function randomHex(size: number): string {
  if (used + size > pool.length) {
    crypto.getRandomValues(pool)
    used = 0
  }
  used += size
  return toHex(pool, used - size, used)
}

/** Bytes as lower-case hexadecimal digits. */
export function toHex(bytes: Uint8Array, start: number, end: number): string {
  let text = ''
  for (let at = start; at < end; at++) text += hexOfByte[bytes[at]!]
  return text
}
