import type { CoveyError } from '../error/covey-error.ts'

/** What became of one of several calls: its result, or its own error. */
export type Settled<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: CoveyError }
