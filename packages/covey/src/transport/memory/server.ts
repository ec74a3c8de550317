import type { Call } from '../../call/call.ts'
import { givesStream } from '../../call/method-ref.ts'
import { instanceStopping, serverStopped, streamMoved } from '../endings.ts'
import { acceptsNothing } from '../mode-refusal.ts'
import { servedToTheEnd } from '../served-to-the-end.ts'
import type { Dispatcher, Listener, ListenOptions } from '../transport.ts'

/** The end of a memory connection that takes calls. */
export interface MemoryServer extends Listener {
  readonly dispatcher: Dispatcher
  readonly options: ListenOptions
  /** True once its clients were sent away. */
  readonly draining: boolean
  /**
   * Begins a call, which counts as running until `finish`. Settles when it was accepted, where the caller does not wait.
   * @throws CoveyError `DRAINING`
   */
  serve(call: Call): Promise<unknown>
  finish(call: Call): void
  /** Adds a connection that is told about drain and close. */
  attach(client: MemoryPeer): void
  detach(client: MemoryPeer): void
}

/** The client end, as the server sees it. */
export interface MemoryPeer {
  onDrain(): void
  onClose(): void
}

/** Makes the server end; `onClose` frees the address. */
export function createMemoryServer(
  address: string,
  dispatcher: Dispatcher,
  options: ListenOptions,
  onClose: () => void,
): MemoryServer {
  const running = new Set<Call>()
  const peers = new Set<MemoryPeer>()
  let draining = false
  const sendAway = () => {
    draining = true
    for (const client of peers) client.onDrain()
    const reason = streamMoved()
    for (const call of [...running]) if (givesStream(call.method.kind)) call.cancel(reason)
  }
  let onIdle: (() => void)[] = []
  const server: MemoryServer = {
    address,
    dispatcher,
    options,
    get draining() {
      return draining
    },
    get connections() {
      return peers.size
    },
    attach: (client) => void peers.add(client),
    detach: (client) => void peers.delete(client),
    serve(call) {
      if (draining && !servedToTheEnd(call.method)) throw instanceStopping(dispatcher.instance)
      running.add(call)
      if (call.mode === 'wait') return dispatcher.serve(call)
      return dispatcher.accept?.(call) ?? Promise.reject(acceptsNothing(dispatcher))
    },
    finish(call) {
      running.delete(call)
      if (running.size > 0) return
      for (const resolve of onIdle) resolve()
      onIdle = []
    },
    goAway: sendAway,
    async drain(signal) {
      sendAway()
      if (running.size === 0 || signal?.aborted) return
      await new Promise<void>((resolve) => {
        onIdle.push(resolve)
        signal?.addEventListener('abort', () => resolve(), { once: true })
      })
    },
    async close() {
      draining = true
      onClose()
      for (const call of [...running]) call.cancel(serverStopped())
      for (const client of [...peers]) client.onClose()
    },
    [Symbol.asyncDispose]: () => server.close(),
  }
  return server
}
