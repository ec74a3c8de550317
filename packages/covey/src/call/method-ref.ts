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
}
