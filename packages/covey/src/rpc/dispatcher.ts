import type { Call } from '../call/call.ts'
import { compose, type Handler, type Middleware } from '../call/handler.ts'
import { givesStream } from '../call/method-ref.ts'
import type { AnyService } from '../contract/define-service.ts'
import type { BoundMethod } from '../contract/method.ts'
import { CoveyError } from '../error/covey-error.ts'
import type { Admission } from '../middleware/admission.ts'
import type { Dispatcher } from '../transport/transport.ts'
import type { AcceptedWork } from './accepted-work.ts'
import { handlerStream } from './handler-stream.ts'
import { type ServerStackOptions, serverStack } from './server-stack.ts'

/** What a dispatcher needs beside its services. */
export interface DispatcherOptions extends Omit<ServerStackOptions, 'middleware' | 'admission'> {
  /** The user's own, in order; they see validated input. A function says it for each service by its name. */
  readonly middleware: readonly Middleware[] | ((service: string) => readonly Middleware[])
  /** What decides when the calls of a service are begun, by its name. Default: they are begun as they come. */
  readonly admission?: (service: string) => Admission | undefined
  /** Id of the instance. */
  readonly instance: string
  /** What runs calls whose caller does not wait; without it such calls are refused. */
  readonly work?: AcceptedWork | undefined
}

/**
 * Brings calls to the handlers of services, through the server's stack, which is composed here once for each
 * method.
 * @throws TypeError if two services have the same name
 */
export function createDispatcher(
  services: readonly AnyService[],
  options: DispatcherOptions,
): Dispatcher {
  const handlers = new Map<string, Handler>()
  const methods: BoundMethod[] = []
  const names = new Set<string>()
  for (const service of services) {
    const { name } = service.contract
    if (names.has(name)) throw new TypeError(`two services have the name "${name}"`)
    names.add(name)
    const middleware = middlewareOf(name, options)
    const admission = options.admission?.(name)
    for (const method of Object.values<BoundMethod>(service.contract.methods)) {
      const stack = serverStack(method, { ...options, middleware, admission })
      handlers.set(method.path, compose(stack, handlerOf(service, method, options.work)))
      methods.push(method)
    }
  }
  const { instance, work } = options
  const serve: Handler = (call) =>
    handlers.get(call.method.path)?.(call) ?? Promise.reject(unknown(call.method.path))
  if (work === undefined) return { instance, methods, serve }
  return { instance, methods, serve, accept: (call) => work.accept(call, serve) }
}

function middlewareOf(service: string, { middleware }: DispatcherOptions): readonly Middleware[] {
  return typeof middleware === 'function' ? middleware(service) : middleware
}

function handlerOf(
  service: AnyService,
  method: BoundMethod,
  work: AcceptedWork | undefined,
): Handler {
  const run = service.handlers[method.name] as (input: unknown, call: Call) => unknown
  if (givesStream(method.kind)) {
    return async (call) => {
      requireWanted(call)
      return handlerStream(await run.call(service.handlers, call.input, call), call)
    }
  }
  return async (call) => {
    requireWanted(call)
    if (call.mode !== 'wait') work?.begin(call)
    return run.call(service.handlers, call.input, call)
  }
}

/** Nothing is begun that was given up while middleware had it. @throws CoveyError why it was */
function requireWanted({ cancelled }: Call): void {
  if (cancelled !== undefined) throw cancelled
}

function unknown(path: string): CoveyError {
  return new CoveyError('UNIMPLEMENTED', `no method ${path}`)
}
