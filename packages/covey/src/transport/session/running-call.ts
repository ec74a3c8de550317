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
  /** How far it is; `putOff` by its `CancelBudget`. */
  state: 'waiting' | 'putOff' | 'begun' = 'waiting'
  /** Whether its handler is at work; of a stream of results until it has opened it. */
  atWork = false
  /** For `GivenUpCalls`: when it was given up. */
  givenUpIn = -1

  constructor(call: Call, input: IncomingStream | undefined) {
    this.call = call
    this.input = input
  }
}
