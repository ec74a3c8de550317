import type { Call } from '../../call/call.ts'
import type { IncomingStream } from './incoming-stream.ts'
import type { OutgoingStream } from './outgoing-stream.ts'

/** A call that runs, at the server's end. A class for the reason that `PendingCall` gives. */
export class RunningCall {
  readonly call: Call
  /** Elements on their way to the handler; only of client streams and duplex. */
  readonly input: IncomingStream | undefined
  /** Elements on their way to the caller; only of server streams and duplex. */
  output: OutgoingStream | undefined = undefined

  constructor(call: Call, input: IncomingStream | undefined) {
    this.call = call
    this.input = input
  }
}
