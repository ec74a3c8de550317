import type { Balancer } from '../balance/balancer.ts'
import { type Balance, createBalancer } from '../balance/create-balancer.ts'
import { systemClock } from '../base/clock.ts'
import type { Call } from '../call/call.ts'
import { currentCall, keepContext } from '../call/call-storage.ts'
import { compose, type Handler, type Middleware } from '../call/handler.ts'
import type { RepetitionOptions } from '../call/repetition.ts'
import { type RoutingOptions, toRouting } from '../call/routing.ts'
import type { Client } from '../contract/client.ts'
import type { Contract } from '../contract/define-contract.ts'
import type { Channel } from './channel.ts'
import { clientStack } from './client-stack.ts'
import { contractClient } from './contract-client.ts'
import { defaultRuntime } from './default-runtime.ts'
import { targetsOf } from './fixed-instance.ts'
import { parseTarget } from './parse-target.ts'
import type { Runtime } from './runtime.ts'

/** Settings of a client. What it says about instances and repetition counts for calls that say nothing of it. */
export interface ClientOptions extends RoutingOptions, RepetitionOptions {
  /**
   * A fixed address, `tcp://127.0.0.1:4100` or `unix:/path`, instead of the registry; or a list of them, among which calls are balanced
   * as among instances of the registry.
   */
  target?: string | readonly string[]
  /** Default: the one of this process. */
  runtime?: Runtime
  /** Time for calls that say nothing, in milliseconds. Default: what the contract says. */
  timeoutMs?: number
  /** How it chooses among the instances that fit. Default `p2c`: the better of two random ones, by expected time. */
  balance?: Balance
  /** Wraps each call; the first is the outermost. */
  middleware?: readonly Middleware[]
}

/**
 * Makes functions of a contract. Instances are found in the registry; a service of this process is called
 * directly. Connections are opened at the first call and shared by all clients of a process, and an idle one
 * does not keep the process alive.
 *
 * @throws TypeError if `target` is no address, `balance` no balancer, or an option makes no sense
 * @example
 * const api = createClient(users)
 * await api.get({ id: '7' })
 */
export function createClient<C extends Contract>(
  contract: C,
  options: ClientOptions = {},
): Client<C> {
  const { target, balance = 'p2c', timeoutMs } = options
  for (const each of targetsOf(target)) parseTarget(each, options.runtime?.givenTransports)
  if (target?.length === 0) throw new TypeError('target: expected an address, or a list of them')
  const balancer = createBalancer(balance, options.runtime?.random ?? Math.random)
  let stack: Handler | undefined
  return contractClient(contract, {
    clock: options.runtime?.clock ?? systemClock,
    currentCall,
    keepContext,
    timeoutMs,
    routing: toRouting(options),
    fixed: target !== undefined,
    repetition: options,
    invoke(call) {
      // Made at the first call, so that a client may stand at the top of a file, before the app is started.
      stack ??= createStack(contract.name, options, balancer)
      return stack(call)
    },
  })
}

function createStack(service: string, options: ClientOptions, balancer: Balancer): Handler {
  const { runtime = defaultRuntime(), target, middleware = [] } = options
  const channel = channelOf(service, runtime, target)
  const to = target === undefined ? service : targetsOf(target).join(' ')
  const retry = runtime.retry.over(to, channel)
  const list = clientStack({ wheel: runtime.wheel, middleware, retry })
  return compose(list, (call) => channel(call).send(call, balancer))
}

function channelOf(
  service: string,
  runtime: Runtime,
  target: ClientOptions['target'],
): (call: Call) => Channel {
  if (target === undefined) return ({ routing }) => runtime.channel(service, routing)
  const channel = runtime.channelTo(target, service)
  return () => channel
}
