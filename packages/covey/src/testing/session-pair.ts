import { z } from 'zod'
import { type Clock, systemClock } from '../base/clock.ts'
import { Call } from '../call/call.ts'
import type { Peer } from '../call/peer.ts'
import { defineContract } from '../contract/define-contract.ts'
import { serverStream, unary } from '../contract/method.ts'
import { CoveyError } from '../error/covey-error.ts'
import { defaultLimits, type Limits } from '../transport/limits.ts'
import type { LinkOptions } from '../transport/link-options.ts'
import { ClientSession } from '../transport/session/client-session.ts'
import { ServerSession } from '../transport/session/server-session.ts'
import type { Authenticate, Dispatcher } from '../transport/transport.ts'
import { type MemoryPipe, memoryPipe } from './memory-pipe.ts'

export const { methods: pairMethods } = defineContract('pair', {
  echo: unary({ input: z.any(), output: z.any() }),
  items: serverStream({ input: z.any(), output: z.any() }),
})

/** What the two ends of a pair are given. */
export interface SessionPairOptions {
  readonly client?: LinkOptions & { readonly credential?: string }
  readonly server?: LinkOptions & { readonly authenticate?: Authenticate }
  readonly limits?: Partial<Limits>
  readonly clock?: Clock
  /** Sees what is on its way and says what arrives instead. Default: the same. */
  tamper?(bytes: Uint8Array, to: 'client' | 'server'): Uint8Array
  /** Whether what arrives at the client is only lent to it, as by sockets that read into memory of their own. Default false. */
  readonly lends?: boolean
  /** Serves calls. Default: gives back the input. */
  readonly serve?: Dispatcher['serve']
}

/** A client and a server session with nothing but arrays between them. */
export interface SessionPair {
  readonly client: ClientSession
  readonly server: ServerSession
  readonly toServer: MemoryPipe
  readonly toClient: MemoryPipe
  /** All bytes that were sent, in their order. */
  readonly sent: { readonly to: 'client' | 'server'; readonly bytes: Uint8Array }[]
  /** Inputs that reached a handler, and who sent the first. */
  readonly seen: { readonly inputs: unknown[]; peer: Peer | undefined; closed: string[] }
  /** Moves what is on its way until nothing is. */
  pump(): Promise<void>
  /** Shakes hands; `ready`, or the error's code and message. */
  connect(): Promise<string>
  /** Calls `echo`; its result in JSON, or the code of the error. */
  echo(input: unknown): Promise<string>
}

/** Makes both ends. Nothing moves before `connect`. */
export function sessionPair(options: SessionPairOptions = {}): SessionPair {
  const { tamper = (bytes: Uint8Array) => bytes, clock = systemClock } = options
  const limits = { ...defaultLimits, ...options.limits }
  const clientEnd = Object.assign(memoryPipe(), { lends: options.lends === true })
  const serverEnd = memoryPipe()
  const seen: SessionPair['seen'] = { inputs: [], peer: undefined, closed: [] }
  const serve: Dispatcher['serve'] = async (call) => {
    seen.inputs.push(call.input)
    seen.peer = call.peer
    return (options.serve ?? (async ({ input }) => input))(call)
  }
  const methods = [pairMethods.echo, pairMethods.items]
  const dispatcher: Dispatcher = { instance: 'i', methods, serve }
  const server = new ServerSession(
    serverEnd,
    dispatcher,
    { ...options.server, limits, clock },
    'c1',
    { onIdle() {}, onClosed: (reason) => void seen.closed.push(String(reason?.code)) },
  )
  const client = new ClientSession(clientEnd, { ...options.client, limits, clock })
  const sent: SessionPair['sent'] = []
  const move = (from: MemoryPipe, to: MemoryPipe, name: 'client' | 'server') => {
    from.turn()
    const writes = from.writes.splice(0)
    for (const bytes of writes) {
      sent.push({ to: name, bytes })
      to.receive(tamper(bytes, name))
    }
    return writes.length > 0
  }
  const pump = async () => {
    for (let quiet = 0; quiet < 3; quiet++) {
      const up = move(clientEnd, serverEnd, 'server')
      const down = move(serverEnd, clientEnd, 'client')
      if (up || down) quiet = -1
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  return {
    client,
    server,
    toServer: clientEnd,
    toClient: serverEnd,
    sent,
    seen,
    pump,
    async connect() {
      const ready = client.handshake().then(
        () => 'ready',
        (error: CoveyError) => `${error.code}: ${error.message}`,
      )
      await pump()
      return ready
    },
    async echo(input) {
      const call = new Call(pairMethods.echo, input, { clock })
      const answer = client.invoke(call).then(
        (value) => JSON.stringify(value),
        (error: unknown) => CoveyError.from(error).code,
      )
      await pump()
      return answer
    },
  }
}

/** For `tamper`: changes the JSON of frames of a type; the frame gets the length that fits. */
export function rewriteFrame(type: number, change: (body: Record<string, unknown>) => void) {
  return (bytes: Uint8Array): Uint8Array => {
    if (bytes[4] !== type) return bytes
    const length = Buffer.from(bytes).readUInt32BE(0) + 4
    const body = JSON.parse(Buffer.from(bytes.subarray(10, length)).toString())
    change(body)
    const text = Buffer.from(JSON.stringify(body))
    const head = Buffer.from(bytes.subarray(0, 10))
    head.writeUInt32BE(6 + text.length, 0)
    return Buffer.concat([head, text, bytes.subarray(length)])
  }
}
