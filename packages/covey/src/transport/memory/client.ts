import { Call } from '../../call/call.ts'
import { takesStream } from '../../call/method-ref.ts'
import type { Peer } from '../../call/peer.ts'
import { copyValue } from '../../codec/copy-value.ts'
import { CoveyError } from '../../error/covey-error.ts'
import { ConnectionLife } from '../connection-life.ts'
import { closedHere } from '../endings.ts'
import type { Connection, ConnectOptions } from '../transport.ts'
import { carryCall } from './carry-call.ts'
import type { MemoryServer } from './server.ts'

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
  const toServerCall = (call: Call): Call => {
    const known = dispatcher.methods.find(({ path }) => path === call.method.path)
    if (known === undefined) {
      const message = `instance ${dispatcher.instance} has no method ${call.method.path}`
      throw new CoveyError('UNIMPLEMENTED', message)
    }
    const { input, trace, metadata, baggage, mode } = call
    // The time of work that nobody waits for is not that of its acceptance.
    const deadlineMs = mode === 'wait' ? call.deadlineMs : clock.monotonicMs() + call.serverMs()
    // Of a stream, each element is copied when it is taken.
    const own = takesStream(known.kind) ? undefined : copyValue(input)
    return new Call(known, own, { deadlineMs, trace, metadata, baggage, mode, peer, clock })
  }
  return new MemoryConnection(server, toServerCall)
}

class MemoryConnection implements Connection {
  readonly invoke = (call: Call): Promise<unknown> => this.#invoke(call)
  readonly #server: MemoryServer
  readonly #toServerCall: (call: Call) => Call
  readonly #calls = new Set<Call>()
  readonly #life = new ConnectionLife()
  readonly #self = {
    onDrain: () => void this.#life.drain(),
    onClose: () => this.#end(new CoveyError('CONNECTION_LOST', 'the server closed')),
  }

  constructor(server: MemoryServer, toServerCall: (call: Call) => Call) {
    this.#server = server
    this.#toServerCall = toServerCall
    if (server.draining) this.#life.drain()
    server.attach(this.#self)
  }

  get instance(): string {
    return this.#server.dispatcher.instance
  }

  get pending(): number {
    return this.#calls.size
  }

  get state(): Connection['state'] {
    return this.#life.state
  }

  get closed(): Promise<CoveyError | undefined> {
    return this.#life.closed
  }

  async close(): Promise<void> {
    this.#end(undefined)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #invoke(call: Call): Promise<unknown> {
    if (this.state === 'closed') throw new CoveyError('UNAVAILABLE', 'no connection: closed')
    if (call.cancelled !== undefined) throw call.cancelled
    const served = this.#toServerCall(call)
    return carryCall(call, served, {
      serve: () => {
        const result = this.#server.serve(served)
        this.#calls.add(served)
        return result
      },
      onOver: () => {
        this.#calls.delete(served)
        this.#server.finish(served)
      },
    })
  }

  #end(reason: CoveyError | undefined): void {
    if (!this.#life.end(reason)) return
    this.#server.detach(this.#self)
    for (const call of [...this.#calls]) call.cancel(reason ?? closedHere())
  }
}
