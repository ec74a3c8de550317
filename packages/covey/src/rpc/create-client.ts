import { systemClock } from '../base/clock.ts'
import { currentCall } from '../call/call-storage.ts'
import { compose, type Handler, type Middleware } from '../call/handler.ts'
import type { Client } from '../contract/client.ts'
import type { Contract } from '../contract/define-contract.ts'
import { clientStack } from './client-stack.ts'
import { contractClient } from './contract-client.ts'
import { defaultRuntime } from './default-runtime.ts'
import { parseTarget } from './parse-target.ts'
import type { Runtime } from './runtime.ts'

/** Settings of a client. */
export interface ClientOptions {
  /** A fixed address, `tcp://127.0.0.1:4100` or `unix:/path`, instead of the registry. */
  target?: string
  /** Default: the one of this process. */
  runtime?: Runtime
  /** Time for calls that say nothing, in milliseconds. Default: what the contract says. */
  timeoutMs?: number
  /** Wraps each call; the first is the outermost. */
  middleware?: readonly Middleware[]
}

/**
 * Makes functions of a contract. Instances are found in the registry; a service of this process is called
 * directly. Connections are opened at the first call and shared by all clients of a process, and an idle one
 * does not keep the process alive.
 *
 * @throws TypeError if `target` is no address
 * @example
 * const api = createClient(users)
 * await api.get({ id: '7' })
 */
export function createClient<C extends Contract>(
  contract: C,
  options: ClientOptions = {},
): Client<C> {
  const { target, middleware = [], timeoutMs } = options
  if (target !== undefined) parseTarget(target)
  let stack: Handler | undefined
  return contractClient(contract, {
    clock: options.runtime?.clock ?? systemClock,
    currentCall,
    timeoutMs,
    invoke(call) {
      // Made at the first call, so that a client may stand at the top of a file, before the app is started.
      stack ??= createStack(options.runtime ?? defaultRuntime(), contract.name, target, middleware)
      return stack(call)
    },
  })
}

function createStack(
  runtime: Runtime,
  service: string,
  target: string | undefined,
  middleware: readonly Middleware[],
): Handler {
  const list = clientStack({ wheel: runtime.wheel, middleware })
  if (target !== undefined) return compose(list, runtime.channelTo(target, service).invoke)
  return compose(list, (call) => runtime.channel(service, call.routing?.instance).invoke(call))
}
