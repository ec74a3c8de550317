import { CoveyError } from '../error/covey-error.ts'

/** An instance that has been nowhere to be found for so long is gone, in milliseconds. A registry may blink. */
export const goneAfterMs = 1_000

/** What a channel says when it has no way to an instance. */
interface Hints {
  /** What was asked for; only where the list of instances is known. */
  readonly asked?: { readonly instance?: string }
  /** Those that fit, and why they take no calls. */
  readonly instances?: readonly string[]
}

/** Whether a call for one instance failed because nobody knows that instance. */
export function isUnknownInstance({ details }: CoveyError, instance: string): boolean {
  const { asked, instances } = (details ?? {}) as Hints
  return asked?.instance === instance && instances?.length === 0
}

/** What becomes of results that waited in an instance which is gone. */
export function lostWith(instance: string, cause?: CoveyError): CoveyError {
  const message = `instance ${instance} is gone, and the result with it; the call may have run`
  return new CoveyError('RESULT_LOST', message, { details: { instance }, cause })
}
