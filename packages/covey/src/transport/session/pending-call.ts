import type { Call } from '../../call/call.ts'
import type { CoveyError } from '../../error/covey-error.ts'
import type { IncomingStream } from './incoming-stream.ts'
import type { OutgoingStream } from './outgoing-stream.ts'

/**
 * A call that has no result yet, at the client's end.
 *
 * A class, like all that lives as long as its call, because of how V8 treats object literals: when those of one line mostly
 * survive the first small collections of a process, which at many calls in flight is a matter of luck, optimized code
 * puts all later ones into the old generation at once (allocation site pretenuring), and with them what they hold. Then
 * each call costs up to twice its time until the process ends. Instances of classes always begin young. Measured at 128 calls
 * in flight: a third of all processes made 210,000 calls a second and the others 290,000; now all make 340,000 to 390,000.
 * What V8 decides is shown by `node --trace-pretenuring-statistics`, lines with `=> tenure`.
 */
export class PendingCall {
  readonly call: Call
  /** The write its frame joined. */
  readonly batch: number
  readonly onCancel: (reason: CoveyError) => void
  readonly result: (value: unknown) => void
  readonly fail: (error: CoveyError) => void
  /** Elements on their way to the caller; only of server streams and duplex. */
  output: IncomingStream | undefined = undefined
  /** Elements on their way to the handler; only of client streams and duplex. */
  input: OutgoingStream | undefined = undefined

  constructor(
    call: Call,
    batch: number,
    onCancel: (reason: CoveyError) => void,
    result: (value: unknown) => void,
    fail: (error: CoveyError) => void,
  ) {
    this.call = call
    this.batch = batch
    this.onCancel = onCancel
    this.result = result
    this.fail = fail
  }
}
