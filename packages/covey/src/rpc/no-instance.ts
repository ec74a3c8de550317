import type { Call } from '../call/call.ts'
import { describeRouting, type Routing, wishesOf } from '../call/routing.ts'
import type { Instance } from '../discovery/registry.ts'
import { CoveyError } from '../error/covey-error.ts'
import type { Endpoint } from './endpoint.ts'

/** What is known when a call finds nobody. */
export interface NoInstance {
  readonly service: string
  /** Where instances are looked up: `registry file:.covey/registry`. */
  readonly source: string
  /** Whether that has answered. */
  readonly listed: boolean
  /** Why it answers no more; the last list stays. */
  readonly failure: unknown
  readonly routing: Routing | undefined
  /** Those that fit; all of them where nothing is asked for. */
  readonly fitting: readonly Endpoint[]
  readonly all: readonly Endpoint[]
}

/** Names of a kind that an error tells at most. */
const maxNames = 10

/** Why nobody can take a call: what was asked for, what there is, what was tried. */
export function noInstance(found: NoInstance): CoveyError {
  const { service, source, listed, failure, routing, fitting, all } = found
  if (failure !== undefined && all.length === 0) return noList(found)
  const tried = fitting.map((endpoint) => endpoint.describe())
  const wanted = routing === undefined ? '' : describeRouting(routing)
  if (wanted === '' || !listed) {
    const why = listed ? `no instance in ${source}` : `${source} has not answered`
    const message = `${service}: ${tried.length === 0 ? why : tried.join('; ')}`
    return new CoveyError('UNAVAILABLE', message, { details: { service, instances: tried } })
  }
  const there = namesThere(all.map(({ instance }) => instance))
  const details = {
    service,
    asked: Object.fromEntries(wishesOf(routing!)),
    instances: tried,
    there,
  }
  const why = tried.length === 0 ? describeThere(source, all.length, there) : tried.join('; ')
  return new CoveyError('UNAVAILABLE', `${service} (${wanted}): ${why}`, { details })
}

/** Nothing is known, and nothing will be: what is wrong with the settings is told as that. */
function noList({ service, source, failure }: NoInstance): CoveyError {
  const known = failure instanceof CoveyError ? failure : undefined
  const why = known?.message ?? 'the list of instances ended'
  const code = known?.code === 'INVALID_SETTINGS' ? known.code : 'UNAVAILABLE'
  const details = { service, instances: [] }
  return new CoveyError(code, `${service}: ${source}: ${why}`, { details, cause: failure })
}

/**
 * A call whose own time ended before somebody could take it.
 * @param why what it waited for, as {@link noInstance} tells it
 */
export function lateForInstance({ method }: Call, why: CoveyError): CoveyError {
  const waited = `its time was used up while it waited for a connection; it was not run`
  const message = `${method.path}: ${waited}: ${why.message}`
  return new CoveyError('DEADLINE_EXCEEDED', message, { details: why.details, cause: why })
}

/** Names of each kind, the first ones of many. */
type Names = Readonly<Record<'instances' | 'groups' | 'versions' | 'zones' | 'tags', string[]>>

function namesThere(instances: readonly Instance[]): Names {
  const names = (of: (instance: Instance) => readonly (string | undefined)[]) =>
    [...new Set(instances.flatMap(of))].filter((name) => name !== undefined).sort()
  return {
    instances: names(({ id }) => [id]).slice(0, maxNames),
    groups: names(({ group }) => [group]).slice(0, maxNames),
    versions: names(({ version }) => [version]).slice(0, maxNames),
    zones: names(({ zone }) => [zone]).slice(0, maxNames),
    tags: names(({ tags = [] }) => tags).slice(0, maxNames),
  }
}

function describeThere(source: string, count: number, there: Names): string {
  if (count === 0) return `no instance in ${source}`
  const kinds = Object.entries(there)
    .filter(([, names]) => names.length > 0)
    .map(([kind, names]) => `${kind} ${names.join(', ')}`)
  return `none of the ${count} in ${source} fits; there are ${kinds.join('; ')}`
}
