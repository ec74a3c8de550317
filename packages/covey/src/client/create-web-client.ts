import { p2c } from '../balance/p2c.ts'
import { type Clock, systemClock } from '../base/clock.ts'
import { TimerWheel } from '../base/timer-wheel.ts'
import { compose } from '../call/handler.ts'
import type { Client } from '../contract/client.ts'
import type { Contract } from '../contract/define-contract.ts'
import type { CoveyError } from '../error/covey-error.ts'
import { silentLog } from '../observe/log.ts'
import { Channel } from '../rpc/channel.ts'
import { ClientRetry } from '../rpc/client-retry.ts'
import { clientStack } from '../rpc/client-stack.ts'
import { contractClient } from '../rpc/contract-client.ts'
import type { Endpoint } from '../rpc/endpoint.ts'
import { always, fixedInstance } from '../rpc/fixed-instance.ts'
import { defaultLimits, type Limits } from '../transport/limits.ts'
import { connectWs } from '../transport/ws/client.ts'

/** Where the connection to the gateway stands. */
export type LinkState = 'connecting' | 'open' | 'waiting' | 'closed'

/** What goes with a state. */
export interface LinkInfo {
  /** While `waiting`: when the next try begins, in milliseconds from now. */
  readonly retryInMs?: number
  /** While `waiting`: why the last try failed or the connection broke. */
  readonly error?: CoveyError
}

/** Settings of a web client. */
export interface WebClientOptions {
  /** Of the gateway: `ws://host/rpc`. */
  url: string
  /**
   * Gets what proves who is calling, anew for each connection: a one-use ticket, never a token that lasts. What it
   * throws is the reason of the next `waiting`.
   */
  credential?: () => Promise<string>
  /** Told at each change of the connection. */
  onState?: (state: LinkState, info: LinkInfo) => void
  /** Bounds on what is taken from the gateway. */
  limits?: Partial<Limits>
  /** Where deadlines, pings and pauses between tries take their time from. Default the clock of the machine; tests put another one. */
  clock?: Clock
  /** Numbers in [0, 1) for the jitter of pauses. Default `Math.random`. */
  random?: () => number
}

/** The connection of a page to its gateway. */
export interface WebClient extends AsyncDisposable {
  /** Functions for a contract that the gateway exposes. */
  client<C extends Contract>(contract: C): Client<C>
  readonly state: LinkState
  /** Tries to connect now instead of waiting; for when the network is known to be back. */
  retryNow(): void
  /** Closes the connection; calls in flight fail. */
  close(): Promise<void>
}

/**
 * Browsers slow the timers of hidden pages down, so silence is judged more patiently than between servers; the server's
 * pings are answered at once in any case.
 */
const webLimits: Partial<Limits> = {
  connectMs: 5_000,
  pingMs: 5_000,
  silenceMs: 15_000,
  // There is one gateway, and no other to go to.
  stallMs: Number.POSITIVE_INFINITY,
}

/**
 * Connects a page to a gateway over one WebSocket and keeps it connected, with jittered backoff from 100 ms to 10 s.
 * Calls wait for the connection until their deadline. Free of `node:` imports.
 *
 * @example
 * const link = createWebClient({ url: 'ws://127.0.0.1:8090/rpc', credential: fetchTicket })
 * const api = link.client(chat)
 * await api.me()
 */
export function createWebClient(options: WebClientOptions): WebClient {
  const limits = { ...defaultLimits, ...webLimits, ...options.limits }
  const { clock = systemClock, random = Math.random } = options
  const wheel = new TimerWheel(clock)
  const closing = new AbortController()
  let state: LinkState = 'connecting'
  const tell = (next: LinkState, info: LinkInfo = {}) => {
    state = next
    options.onState?.(next, info)
  }
  const channel = new Channel({
    service: 'gateway',
    source: options.url,
    instances: always([fixedInstance(options.url, [])], closing.signal),
    balancer: p2c(),
    clock,
    log: silentLog,
    random,
    firstConnectionMs: Number.POSITIVE_INFINITY,
    maxWaitingCalls: limits.maxWaitingCalls,
    maxWaitingBytes: limits.maxUnsentBytes,
    async connect(_, signal, events) {
      tell('connecting')
      const credential = await options.credential?.()
      return connectWs(options.url, { limits, clock, signal, credential, ...events })
    },
    onChange([endpoint]) {
      if (endpoint !== undefined && !closing.signal.aborted)
        report(endpoint, tell, clock.monotonicMs())
    },
  })
  const repetition = new ClientRetry({ clock, random })
  const retry = repetition.over(options.url, () => channel)
  const invoke = compose(clientStack({ wheel, middleware: [], retry }), channel.invoke)
  const link: WebClient = {
    get state() {
      return state
    },
    client: (contract) => contractClient(contract, { clock, invoke, currentCall: () => undefined }),
    retryNow: () => channel.hurry(),
    async close() {
      if (closing.signal.aborted) return
      closing.abort()
      tell('closed')
      await channel.close()
    },
    [Symbol.asyncDispose]: () => link.close(),
  }
  return link
}

function report(
  { state }: Endpoint,
  tell: (state: LinkState, info?: LinkInfo) => void,
  nowMs: number,
): void {
  if (state.is === 'ready') tell('open')
  if (state.is !== 'waiting') return
  tell('waiting', { retryInMs: Math.max(0, Math.round(state.untilMs - nowMs)), error: state.error })
}
