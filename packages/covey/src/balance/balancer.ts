/** Something that calls can go to, with what is known of its state. */
export interface Candidate {
  /** Calls without a result. */
  readonly pending: number
  /** Expected time of a call in milliseconds; 0 while nothing is known. */
  readonly latencyMs: number
  /** Relative share. 1 is normal. */
  readonly weight: number
}

/** Picks one of at least one candidates. Must not keep the array. */
export type Balancer = <C extends Candidate>(candidates: readonly C[]) => C
