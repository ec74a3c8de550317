import type { Routing } from '../call/routing.ts'
import type { Instance } from '../discovery/registry.ts'

/**
 * Whether an instance is one of those that a call asks for.
 * @param id by which callers may name it: its own, and where only its address is known the one that it told
 */
export function fits(instance: Instance, routing: Routing, id: string = instance.id): boolean {
  const { instance: only, group, version, zone, tags } = routing
  return (
    (only === undefined || only === id) &&
    (group === undefined || group === instance.group) &&
    (version === undefined || fitsVersion(instance.version, version)) &&
    (zone === undefined || zone === instance.zone) &&
    (tags === undefined || tags.every((tag) => instance.tags?.includes(tag)))
  )
}

/** All of it, or the parts before a dot: `2` and `2.1` fit `2.1.0`, `2.` and `2.1.` do not. */
function fitsVersion(version: string | undefined, wanted: string): boolean {
  return version === wanted || (version?.startsWith(`${wanted}.`) ?? false)
}
