/** Wishes about which instance takes a call. All that are given must be met. */
export interface RoutingOptions {
  /** Only this instance, by id. */
  instance?: string
  /** Only instances of this group. */
  group?: string
  /** Only instances of this version: all of it, or the parts before a dot. `2` takes `2.1.0`, not `20.1.0`. */
  version?: string
  /** Only instances of this zone. */
  zone?: string
  /** Only instances that have this tag, or all of these. */
  tag?: string | readonly string[]
  /** Calls with the same key go to the same instance, for as long as it is there. */
  key?: string
}

/** The wishes about one call, those of its client among them. */
export interface Routing {
  readonly instance?: string | undefined
  readonly group?: string | undefined
  readonly version?: string | undefined
  readonly zone?: string | undefined
  /** All of them must be there; not empty. */
  readonly tags?: readonly string[] | undefined
  readonly key?: string | undefined
}

/**
 * The wishes of a call: its own, and those of its client about what it says nothing of. Undefined when there are none,
 * so that calls without wishes cost nothing.
 */
export function toRouting(own: RoutingOptions, client?: Routing): Routing | undefined {
  const { instance, group, version, zone, tag, key } = own
  const place = instance ?? group ?? version ?? zone
  if (place === undefined && tag === undefined && key === undefined) return client
  return {
    instance: instance ?? client?.instance,
    group: group ?? client?.group,
    version: version ?? client?.version,
    zone: zone ?? client?.zone,
    tags: tag === undefined ? client?.tags : toTags(tag),
    key: key ?? client?.key,
  }
}

function toTags(tag: string | readonly string[]): readonly string[] | undefined {
  if (typeof tag === 'string') return [tag]
  return tag.length === 0 ? undefined : tag
}

/** The wishes that are there, by name. The key is none of them: it chooses among those that fit. */
export function wishesOf(routing: Routing): (readonly [string, string | readonly string[]])[] {
  const { instance, group, version, zone, tags } = routing
  const wishes = Object.entries({ instance, group, version, zone, tags })
  return wishes.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]))
}

/** The wishes as people read them: `group canary, version 2`; empty without one. */
export function describeRouting(routing: Routing): string {
  return wishesOf(routing)
    .map(([name, value]) => `${name} ${typeof value === 'string' ? value : value.join(' + ')}`)
    .join(', ')
}
