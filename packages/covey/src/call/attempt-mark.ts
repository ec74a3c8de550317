import type { Metadata } from './metadata.ts'

/**
 * Name of the metadata by which an attempt that repeats a call says so: a whole number from 2. Metadata, so that it passes every
 * transport and peers of every version; gRPC does the same with `grpc-previous-rpc-attempts`.
 */
const markName = 'covey-attempt'

/** Which attempt metadata says it belongs to; 1 where they say nothing of it, or nonsense. */
export function attemptIn(metadata: Metadata): number {
  const text = metadata.get(markName)
  return text !== undefined && /^[1-9]\d{0,5}$/.test(text) ? Number(text) : 1
}

/** The same metadata, of attempt `attempt`. */
export function withAttempt(metadata: Metadata, attempt: number): Metadata {
  return attempt === 1 ? metadata : new Map(metadata).set(markName, String(attempt))
}
