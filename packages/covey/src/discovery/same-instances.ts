import type { Instance } from './registry.ts'

/** Whether two lists tell a caller the same. Order counts. */
export function sameInstances(a: readonly Instance[], b: readonly Instance[]): boolean {
  return sameLists(a, b, sameInstance)
}

const none: readonly string[] = []

function sameInstance(a: Instance, b: Instance): boolean {
  if (a === b) return true
  return (
    a.id === b.id &&
    a.app === b.app &&
    a.weight === b.weight &&
    a.state === b.state &&
    a.startedAtMs === b.startedAtMs &&
    a.group === b.group &&
    a.version === b.version &&
    a.zone === b.zone &&
    sameLists(a.tags ?? none, b.tags ?? none, Object.is) &&
    sameLists(a.services, b.services, Object.is) &&
    sameLists(a.addresses, b.addresses, Object.is)
  )
}

function sameLists<T>(
  a: readonly T[],
  b: readonly T[],
  same: (left: T, right: T) => boolean,
): boolean {
  return a.length === b.length && a.every((item, index) => same(item, b[index]!))
}
