import type { PayloadName } from './payloads.ts'

/** What one measurement found. Latencies are of whole calls as the caller sees them, in µs. */
export interface Figures {
  callsPerSecond: number
  p50us: number
  p99us: number
}

export interface Load {
  payload: PayloadName
  /** How many calls are in flight at any time. */
  concurrency: number
  seconds: number
}
