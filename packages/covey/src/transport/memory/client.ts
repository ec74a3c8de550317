import { Call } from '../../call/call.ts'
import type { Peer } from '../../call/peer.ts'
import { CoveyError } from '../../error/covey-error.ts'
import type { Connection, ConnectOptions } from '../transport.ts'
import type { MemoryServer } from './server.ts'
import { copyEach, copyValue } from './wire.ts'

let connectionsMade = 0

/**
 * Connects within the process: a call is a function call, with inputs and outputs copied.
 * @throws CoveyError `UNAVAILABLE`, `UNAUTHENTICATED`
 */
export async function connectMemory(
  server: MemoryServer,
  { clock, instance, credential }: ConnectOptions,
): Promise<Connection> {
  const { dispatcher, options, address } = server
  if (instance !== undefined && instance !== dispatcher.instance) {
    const message = `expected instance ${instance}, found ${dispatcher.instance}`
    throw new CoveyError('UNAVAILABLE', message)
  }
  connectionsMade += 1
  const end = {
    protocol: 'memory',
    address,
    connectionId: `memory/${connectionsMade}`,
    identity: undefined,
  }
  const identity = await options.authenticate?.(credential, end)
  const peer: Peer = { ...end, identity }
  return new MemoryConnection(server, (call) => {
    const known = dispatcher.methods.find(({ path }) => path === call.method.path)
    if (known === undefined) {
      const message = `instance ${dispatcher.instance} has no method ${call.method.path}`
      throw new CoveyError('UNIMPLEMENTED', message)
    }
    const { trace, metadata, mode } = call
    // The time of work that nobody waits for is not that of its acceptance.
    const deadlineMs = mode === 'wait' ? call.deadlineMs : clock.monotonicMs() + call.workMs
    const init = { deadlineMs, trace, metadata, mode, peer, clock }
    return new Call(known, copyValue(call.input), init)
  })
}

class MemoryConnection implements Connection {
  readonly closed: Promise<CoveyError | undefined>
  readonly invoke = (call: Call): Promise<unknown> => this.#invoke(call)
  readonly #server: MemoryServer
  readonly #toServerCall: (call: Call) => Call
  readonly #calls = new Set<Call>()
  readonly #ended = Promise.withResolvers<CoveyError | undefined>()
  readonly #self = {
    onDrain: () => {
      if (this.#state === 'open') this.#state = 'draining'
    },
    onClose: () => this.#end(new CoveyError('CONNECTION_LOST', 'the server closed')),
  }
  #state: 'open' | 'draining' | 'closed'

  constructor(server: MemoryServer, toServerCall: (call: Call) => Call) {
    this.#server = server
    this.#toServerCall = toServerCall
    this.#state = server.draining ? 'draining' : 'open'
    this.closed = this.#ended.promise
    server.attach(this.#self)
  }

  get instance(): string {
    return this.#server.dispatcher.instance
  }

  get pending(): number {
    return this.#calls.size
  }

  get state(): 'open' | 'draining' | 'closed' {
    return this.#state
  }

  async close(): Promise<void> {
    this.#end(undefined)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #invoke(call: Call): Promise<unknown> {
    if (this.#state === 'closed') throw new CoveyError('UNAVAILABLE', 'no connection: closed')
    if (call.cancelled !== undefined) throw call.cancelled
    const served = this.#toServerCall(call)
    this.#calls.add(served)
    const finish = () => {
      this.#calls.delete(served)
      this.#server.finish(served)
    }
    try {
      const result = await untilCancelled(call, served, this.#server.serve(served))
      if (call.method.kind === 'unary') {
        finish()
        return copyValue(result)
      }
      return copyEach(linked(call, served, result as AsyncIterable<unknown>, finish))
    } catch (error) {
      finish()
      throw error
    }
  }

  #end(reason: CoveyError | undefined): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.#server.detach(this.#self)
    const why = reason ?? new CoveyError('CANCELLED', 'the connection was closed by this side')
    for (const call of [...this.#calls]) call.cancel(why)
    this.#ended.resolve(reason)
  }
}

/** The caller's result: what the server says, or why either side gave up. */
function untilCancelled(call: Call, served: Call, result: Promise<unknown>): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const onCancel = (reason: CoveyError) => served.cancel(reason)
    call.onCancel(onCancel)
    served.onCancel(reject)
    result
      .then(resolve, (error) => reject(asSeenByCaller(error)))
      .finally(() => call.offCancel(onCancel))
  })
}

/** As over a wire: the code, the message and the details travel, the cause stays. */
function asSeenByCaller(error: unknown): CoveyError {
  return CoveyError.fromData(CoveyError.from(error).toData())
}

/** A stream that ends when the caller leaves it or the call is cancelled. */
async function* linked(
  call: Call,
  served: Call,
  source: AsyncIterable<unknown>,
  finish: () => void,
): AsyncGenerator<unknown> {
  const cancelled = new Promise<never>((_, reject) => served.onCancel(reject))
  cancelled.catch(() => {})
  const onCancel = (reason: CoveyError) => served.cancel(reason)
  call.onCancel(onCancel)
  const iterator = source[Symbol.asyncIterator]()
  try {
    for (;;) {
      const step = await Promise.race([iterator.next(), cancelled])
      if (step.done) return
      yield step.value
    }
  } catch (error) {
    throw asSeenByCaller(error)
  } finally {
    call.offCancel(onCancel)
    finish()
    served.cancel(new CoveyError('CANCELLED', 'the reader left the stream'))
    iterator.return?.(undefined).catch(() => {})
  }
}
