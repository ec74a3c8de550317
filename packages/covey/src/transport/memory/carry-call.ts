import type { Call } from '../../call/call.ts'
import { givesStream, takesStream } from '../../call/method-ref.ts'
import { copyValue } from '../../codec/copy-value.ts'
import { CoveyError } from '../../error/covey-error.ts'
import { IncomingStream } from '../session/incoming-stream.ts'
import { leaveStream, OutgoingStream } from '../session/outgoing-stream.ts'
import { callIsOver, sourceError } from '../session/stream-errors.ts'
import { copyError } from './wire.ts'

/** Elements of a stream that are taken ahead of its reader: each counts as one "byte" of the window. */
const elementsAhead = 16

/** What carries a call within the process. */
export interface CallCarrier {
  /** Hands the call to the server. @throws CoveyError if that takes none */
  serve(): Promise<unknown>
  /** Neither side waits for the other any more. Told once, if `serve` took the call. */
  onOver(): void
}

/**
 * Brings the caller's call and the server's, `served`, together: inputs, results and errors as copies, and the cancellation of
 * either side to the other. Streams are the same two ends that a connection has, without frames between them.
 */
export function carryCall(call: Call, served: Call, carrier: CallCarrier): Promise<unknown> {
  const inputs = takesStream(served.method.kind) ? pipeInto(served, call) : undefined
  const result = carrier.serve()
  return new Promise((resolve, reject) => {
    let over = false
    const finish = () => {
      if (over) return false
      over = true
      call.offCancel(onCancel)
      inputs?.close(served.cancelled ?? callIsOver())
      carrier.onOver()
      return true
    }
    const onCancel = (reason: CoveyError) => served.cancel(reason)
    served.onCancel((reason) => {
      finish()
      reject(reason)
    })
    call.onCancel(onCancel)
    inputs?.start()
    result.then(
      (value) => {
        if (givesStream(served.method.kind)) return resolve(readFrom(served, value, finish))
        if (finish()) settle(value, resolve, reject)
      },
      (error) => {
        if (finish()) reject(copyError(error))
      },
    )
  })
}

function settle(
  value: unknown,
  resolve: (value: unknown) => void,
  reject: (error: unknown) => void,
): void {
  try {
    resolve(copyValue(value))
  } catch (error) {
    reject(error)
  }
}

/** The caller's source as the handler's input. */
function pipeInto(served: Call, call: Call) {
  const inputs = new IncomingStream({
    windowBytes: elementsAhead,
    grant: (count) => source.grant(count),
    // The source is held until the call ends, and left then.
    onLeft() {},
  })
  const source = outgoing(call.input, inputs)
  served.input = inputs
  return {
    start: () =>
      void source.run().then(
        () => inputs.finish(),
        (error) => served.cancel(sourceError(error)),
      ),
    close(reason: CoveyError) {
      inputs.abort(reason)
      source.abort(reason)
    },
  }
}

/** The handler's results as the caller reads them. */
function readFrom(served: Call, results: unknown, finish: () => boolean): unknown {
  if (served.cancelled !== undefined) return leaveStream(results)
  const stream = new IncomingStream({
    windowBytes: elementsAhead,
    grant: (count) => source.grant(count),
    onLeft: () => served.cancel(new CoveyError('CANCELLED', 'the reader left the stream')),
  })
  const source = outgoing(results, stream)
  served.onCancel((reason) => {
    stream.finish(reason)
    source.abort(reason)
  })
  source.run().then(
    () => {
      finish()
      stream.finish()
    },
    (error) => {
      finish()
      stream.finish(copyError(error))
    },
  )
  return stream
}

function outgoing(source: unknown, to: IncomingStream): OutgoingStream {
  return new OutgoingStream(source as AsyncIterable<unknown>, elementsAhead, {
    send(item) {
      to.push(copyValue(item), 1)
      return 1
    },
    room: () => undefined,
  })
}
