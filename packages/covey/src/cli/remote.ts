import { dirname } from 'node:path'
import { Option } from 'commander'
import { systemClock } from '../base/clock.ts'
import { withoutUser } from '../base/without-user.ts'
import { compose } from '../call/handler.ts'
import type { Client } from '../contract/client.ts'
import type { Contract } from '../contract/define-contract.ts'
import type { ContractDescription, MethodDescription } from '../contract/describe-contract.ts'
import { CoveyError } from '../error/covey-error.ts'
import { clientStack } from '../rpc/client-stack.ts'
import { contractClient } from '../rpc/contract-client.ts'
import { reflect } from '../rpc/reflect.ts'
import { createRuntime, type Runtime } from '../rpc/runtime.ts'
import { frameworkSettings } from '../settings/framework-settings.ts'
import { loadSettings } from '../settings/load-settings.ts'
import { findConfig } from '../supervisor/load-fleet.ts'
import { nobodyThere, notReached, unknownName } from './remote-errors.ts'

/** What every command takes that speaks with services. */
export interface RemoteOptions {
  /** `host:port`, or a URL. */
  readonly target?: string
  readonly registry?: string
}

/** `--target <address>` and `--registry <url>` */
export const remoteOptions: readonly Option[] = [
  new Option(
    '-t, --target <address>',
    'host:port, or a URL with tls://, https://, http:// or unix:, instead of the registry',
  ),
  new Option('-r, --registry <url>', 'where instances are found (default: as in config.yaml)'),
]

/** Services as a command reaches them. */
export interface Remote extends AsyncDisposable {
  readonly runtime: Runtime
  /** The URL of `--target`. */
  readonly target: string | undefined
  /** Where instances are looked up otherwise, as it may be shown. */
  readonly registry: string
  /** Names of the services in the registry; with a target: those that it serves. */
  services(): Promise<readonly string[]>
  /** What a service says of itself. @throws CoveyError `NOT_FOUND` with the names there are */
  describe(service: string): Promise<ContractDescription>
  /** Functions for a contract that instances of `service` serve. */
  client<C extends Contract>(contract: C, service: string): Client<C>
}

/** Time for finding out who is there, in milliseconds: what a call has by default. */
const lookMs = 5_000

/**
 * Opens the way to services, with the settings of the project the command is run in: section `covey` of `config.yaml` beside
 * `covey.config.ts`, here or in a folder above.
 * @throws CoveyError `INVALID_SETTINGS`
 */
export async function openRemote(options: RemoteOptions): Promise<Remote> {
  const root = await findConfig(process.cwd()).then(dirname, () => process.cwd())
  // Names of files in settings begin at the project, wherever in it the command is run.
  process.chdir(root)
  const { covey } = await loadSettings([frameworkSettings], { knownSections: 'any' })
  const { keys, tls, integrity } = covey
  const registry = options.registry ?? covey.registry
  const runtime = createRuntime({ registry, keys, tls, integrity })
  const target = options.target === undefined ? undefined : targetUrl(options.target, runtime)
  const remote: Remote = {
    runtime,
    target,
    registry: withoutUser(registry),
    async services() {
      if (target !== undefined) return (await contracts(reflect.name)).map(({ name }) => name)
      const registry = await runtime.registry()
      return registry.services()
    },
    async describe(service) {
      const known = await remote.services()
      if (target === undefined && !known.includes(service) && !service.startsWith('covey.')) {
        throw known.length === 0 ? nobodyThere(remote) : unknownName('service', service, known)
      }
      const through = service.startsWith('covey.') ? (known[0] ?? service) : service
      const found = (await contracts(through)).find(({ name }) => name === service)
      if (found === undefined) throw unknownName('service', service, known)
      return found
    },
    client: (contract, service) => {
      if (target === undefined && service === contract.name && service.startsWith('covey.')) {
        const fix = 'say which one with --target'
        throw new CoveyError('INVALID_INPUT', `every instance has ${service}: ${fix}`)
      }
      const channel =
        target === undefined ? runtime.channel(service) : runtime.channelTo(target, service)
      const retry = runtime.retry.over(target ?? service, () => channel)
      const list = clientStack({ wheel: runtime.wheel, middleware: [], retry })
      const invoke = compose(list, channel.invoke)
      const currentCall = () => undefined
      return contractClient(contract, { clock: systemClock, invoke, currentCall })
    },
    [Symbol.asyncDispose]: () => runtime.close(),
  }
  const contracts = async (through: string) => {
    const asked = options.target ?? through
    try {
      return await remote.client(reflect, through).contracts(undefined, { timeoutMs: lookMs })
    } catch (error) {
      throw notReached(CoveyError.from(error), { asked, target, lookMs })
    }
  }
  return remote
}

/** `users.get` as its two parts. @throws CoveyError `INVALID_INPUT` */
export function splitPath(path: string): { service: string; name: string } {
  const dot = path.lastIndexOf('.')
  if (dot > 0 && dot < path.length - 1) {
    return { service: path.slice(0, dot), name: path.slice(dot + 1) }
  }
  throw new CoveyError('INVALID_INPUT', `"${path}": say service.method, like users.get`)
}

/** The method of a description. @throws CoveyError `NOT_FOUND` with the names there are */
export function methodOf(description: ContractDescription, name: string): MethodDescription {
  const found = description.methods.find((method) => method.name === name)
  if (found !== undefined) return found
  const names = description.methods.map((method) => method.name)
  throw unknownName(`method of ${description.name}`, name, names)
}

/** @throws CoveyError `INVALID_INPUT` that says how addresses are written */
function targetUrl(target: string, runtime: Runtime): string {
  const url = /^[a-z]+:(?!\d+$)/i.test(target) ? target : `tcp://${target}`
  try {
    runtime.transport(url).check(url)
  } catch (error) {
    const hint = 'use host:port, or a URL with tls://, https://, http:// or unix:'
    const { message } = error as Error
    const why = message.includes('covey.tls') ? message.replace(/^address ".*?": /, '') : hint
    throw new CoveyError('INVALID_INPUT', `--target ${target}: ${why}`)
  }
  return url
}
