import { withoutUser } from '../base/without-user.ts'
import { CoveyError } from '../error/covey-error.ts'
import type { Log } from '../observe/log.ts'
import { linkSettingsIn } from './link-settings.ts'
import { createRuntime, type Runtime } from './runtime.ts'

const defaultRegistry = 'file:.covey/registry'

// The one object of a process that nobody passes on: `createClient(users)` must find its way by itself.
let current: { readonly runtime: Runtime; readonly registry: string } | undefined

/**
 * The runtime that clients and applications use when they are given none; made at the first use. An application says
 * which registry its settings name; a process without one uses `COVEY__REGISTRY`, else `file:.covey/registry`. Its keys are
 * those of `COVEY__KEYS` until an application says otherwise.
 *
 * @throws CoveyError `START_FAILED` if it is in use already, with another registry
 */
export function defaultRuntime(wishes: { registry?: string; log?: Log } = {}): Runtime {
  const registry = wishes.registry ?? process.env.COVEY__REGISTRY ?? defaultRegistry
  if (current === undefined) {
    const log = wishes.log === undefined ? {} : { log: wishes.log }
    current = { runtime: createRuntime({ registry, ...log }), registry }
    current.runtime.guard(linkSettingsIn(process.env), false)
  } else if (wishes.registry !== undefined && wishes.registry !== current.registry) {
    const [wanted, used] = [wishes.registry, current.registry].map(withoutUser)
    const message = `registry ${wanted}: this process uses ${used} already`
    throw new CoveyError('START_FAILED', `${message}; call nothing before the app is started`)
  }
  return current.runtime
}
