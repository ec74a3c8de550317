/** Groups and lists inside one another, counted from the top of a file or of a variable. */
export const maxDepth = 32

/** What is wrong with data that came from outside, and where. */
export interface DataFlaw {
  readonly path: readonly string[]
  readonly message: string
}

/** Whether this is a plain object, so that it may be a group of settings. */
export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false
  const prototype = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/** The first key that could change a prototype, or the first place that is nested too deeply. */
export function findFlaw(value: unknown, path: readonly string[] = []): DataFlaw | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  if (path.length >= maxDepth) {
    return { path, message: `nested deeper than ${maxDepth} levels` }
  }
  for (const [key, child] of Object.entries(value)) {
    const place = [...path, key]
    if (key === '__proto__') return { path: place, message: 'the key __proto__ is not allowed' }
    const flaw = findFlaw(child, place)
    if (flaw !== undefined) return flaw
  }
  return undefined
}

/** What lies at `path` in groups of plain objects; undefined where a group ends earlier. */
export function valueAt(data: unknown, path: readonly string[]): unknown {
  let value = data
  for (const key of path) {
    if (!isPlainObject(value) || !Object.hasOwn(value, key)) return undefined
    value = value[key]
  }
  return value
}

/** Copies and freezes plain objects and lists in any depth; other objects are taken as they are. */
export function frozenCopy<T>(value: T, copies = new Map<unknown, unknown>()): T {
  if (!Array.isArray(value) && !isPlainObject(value)) return value
  if (copies.has(value)) return copies.get(value) as T
  const copy: Record<string, unknown> | unknown[] = Array.isArray(value) ? [] : {}
  copies.set(value, copy)
  for (const [key, child] of Object.entries(value)) {
    const data = frozenCopy(child, copies)
    Object.defineProperty(copy, key, { value: data, enumerable: true })
  }
  return Object.freeze(copy) as T
}
