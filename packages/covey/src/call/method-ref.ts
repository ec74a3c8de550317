import type { Repetition } from './repetition.ts'

/** Which side of a call sends more than one message. */
export type CallKind = 'unary' | 'serverStream' | 'clientStream' | 'duplex'

/** What a call needs to know of the method it is for. */
export interface MethodRef {
  /** Name of the service, as in its contract. */
  readonly service: string
  /** Name of the method within the service. */
  readonly name: string
  /** `service.name`, as messages and logs show it. */
  readonly path: string
  readonly kind: CallKind
  /** Whether running it twice is the same as running it once. */
  readonly idempotent: boolean
  /** Milliseconds for a call whose caller sets no time. Missing: no limit. */
  readonly timeoutMs?: number
  /** How calls are repeated whose caller says nothing of it. Missing: as usual. */
  readonly repetition?: Repetition | undefined
}

/** Whether the caller of such a method sends a stream: `call.input` is an `AsyncIterable` then. */
export function takesStream(kind: CallKind): boolean {
  return kind === 'clientStream' || kind === 'duplex'
}

/** Whether the answer of such a method is a stream: its handler settles with an `AsyncIterable`. */
export function givesStream(kind: CallKind): boolean {
  return kind === 'serverStream' || kind === 'duplex'
}
