import type { Call } from '../../call/call.ts'
import { noMetadata } from '../../call/metadata.ts'
import { takesStream } from '../../call/method-ref.ts'
import { frameType } from '../../codec/frame/frame-type.ts'
import { CoveyError, type ErrorData } from '../../error/covey-error.ts'
import { sendErrorData } from '../../error/send-error-data.ts'
import { hasStreams } from '../mode-refusal.ts'
import { callFlags, writeCallHead } from './call-head.ts'
import { reasonData } from './cancel-reason.ts'
import type { FrameLink } from './frame-link.ts'
import type { Welcome } from './hello.ts'
import type { ValueLink } from './value-link.ts'

/**
 * Makes a frame of each call of a connection, as the server understands it; at the client's end what `CallReader` is at the
 * server's.
 */
export class CallWriter {
  readonly #link: FrameLink
  readonly #values: ValueLink
  readonly #version: number
  readonly #instance: string
  /** Numbers of the methods by their paths. */
  readonly #numbers = new Map<string, number>()

  constructor(link: FrameLink, values: ValueLink, { covey, instance, methods }: Welcome) {
    this.#link = link
    this.#values = values
    this.#version = covey
    this.#instance = instance
    for (const [number, path] of methods.entries()) this.#numbers.set(path, number)
  }

  /** Why the server cannot serve a call. Nothing that it cannot understand leaves: it would end the connection for all calls. */
  refusal({ mode, method }: Call): CoveyError | undefined {
    const { kind, path } = method
    if (!this.#numbers.has(path)) {
      return new CoveyError('UNIMPLEMENTED', `instance ${this.#instance} has no method ${path}`)
    }
    if (mode !== 'wait' && kind !== 'unary') return hasStreams(method)
    if (mode !== 'wait') return this.#needsVersion(2, `${path}: ${mode}`)
    return takesStream(kind) ? this.#needsVersion(2, `${path}: a stream of inputs`) : undefined
  }

  /** Sends a call under a number. @throws CoveyError `MESSAGE_TOO_LARGE`, `UNENCODABLE`; nothing was sent then */
  write(id: number, call: Call): void {
    const { mode } = call
    const type = mode === 'wait' ? frameType.call : frameType[mode]
    const head = {
      method: this.#numbers.get(call.method.path)!,
      timeoutMs: call.serverMs(),
      trace: call.trace,
      metadata: call.metadata,
      // It helps those who look at it; a server of version 1 works without.
      baggage: this.#version === 1 ? noMetadata : call.baggage,
    }
    const values = this.#values
    if (call.batch !== undefined) this.#link.cork()
    this.#link.send(type, callFlags(head), id, (out) => {
      writeCallHead(head, out)
      // A stream of inputs follows in frames of its own.
      if (call.input !== undefined && !takesStream(call.method.kind)) values.encode(call.input, out)
    })
  }

  /** Tells the server that nobody waits for a call any more, and why, or as much of that as can be sent. */
  cancel(id: number, reason: CoveyError): void {
    const send = (data?: ErrorData) => this.#values.send(frameType.cancel, id, data)
    if (this.#version === 1) send()
    else sendErrorData(reasonData(reason), send)
  }

  #needsVersion(needed: number, what: string): CoveyError | undefined {
    if (this.#version >= needed) return undefined
    const message = `${what} needs version ${needed} of the protocol; instance ${this.#instance} speaks ${this.#version}`
    return new CoveyError('UNIMPLEMENTED', message)
  }
}
