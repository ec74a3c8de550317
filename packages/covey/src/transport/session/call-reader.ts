import { Call, type CallMode } from '../../call/call.ts'
import { type MethodRef, takesStream } from '../../call/method-ref.ts'
import type { Peer } from '../../call/peer.ts'
import { type Frame, frameType } from '../../codec/frame/frame-type.ts'
import { CoveyError } from '../../error/covey-error.ts'
import { allowedMs } from '../allowed-ms.ts'
import type { Dispatcher, ListenOptions } from '../transport.ts'
import { readCallHead } from './call-head.ts'
import type { IncomingStream } from './incoming-stream.ts'
import { RunningCall } from './running-call.ts'
import type { Agreed } from './server-greeting.ts'
import type { ValueLink } from './value-link.ts'

/** Makes a call of each call frame of a connection; at the server's end what `CallWriter` is at the client's. */
export class CallReader {
  readonly #values: ValueLink
  readonly #dispatcher: Dispatcher
  readonly #options: ListenOptions
  readonly #version: number
  readonly #peer: Peer

  constructor(
    values: ValueLink,
    dispatcher: Dispatcher,
    options: ListenOptions,
    { version, peer }: Pick<Agreed, 'version' | 'peer'>,
  ) {
    this.#values = values
    this.#dispatcher = dispatcher
    this.#options = options
    this.#version = version
    this.#peer = peer
  }

  /**
   * @param inputs streams of inputs that are open on the connection
   * @throws CoveyError for the caller: `UNIMPLEMENTED`, `RESOURCE_EXHAUSTED`, or what is wrong with the frame; a body that
   * cannot be read is the caller's mistake, and the connection as such is fine
   */
  read(frame: Frame, inputs: number): RunningCall {
    const { limits, clock } = this.#options
    const { head, bodyStart } = readCallHead(frame, limits)
    const method = this.#dispatcher.methods[head.method]
    if (method === undefined)
      throw new CoveyError('UNIMPLEMENTED', `no method number ${head.method}`)
    const openedMs = clock.monotonicMs()
    const mode = modeOf(frame)
    const stream = takesStream(method.kind) ? this.#openInput(frame.id, method, inputs) : undefined
    const empty = bodyStart === frame.end
    const value = empty ? undefined : this.#values.decode(frame.bytes, bodyStart, frame.end)
    const call = new Call(method, stream ?? value, {
      openedMs,
      deadlineMs: openedMs + allowedMs(head.timeoutMs, method, mode, limits),
      trace: head.trace,
      metadata: head.metadata,
      baggage: head.baggage,
      peer: this.#peer,
      mode,
      clock,
    })
    return new RunningCall(call, stream)
  }

  #openInput(id: number, { path }: MethodRef, inputs: number): IncomingStream {
    const { maxStreamsPerConnection } = this.#options.limits
    if (this.#version === 1) {
      const message = `${path}: a stream of inputs needs version 2 of the protocol`
      throw new CoveyError('UNIMPLEMENTED', message)
    }
    if (inputs >= maxStreamsPerConnection) {
      const message = `${maxStreamsPerConnection} streams of inputs are open on this connection`
      throw new CoveyError('RESOURCE_EXHAUSTED', message)
    }
    // Without further credit the caller's source is held until the call ends, and left then.
    return this.#values.incoming(id, () => {})
  }
}

function modeOf({ type }: Frame): CallMode {
  if (type === frameType.notify) return 'notify'
  return type === frameType.submit ? 'submit' : 'wait'
}
