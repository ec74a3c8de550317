import type { Routing } from '../call/routing.ts'

/**
 * Remembers which candidates fit which wishes, until the list of candidates changes. Bounded, for wishes may come from
 * outside: what is asked for most often is made again soon.
 */
export class Selections<T> {
  readonly #select: (routing: Routing) => readonly T[]
  readonly #maxKept: number
  readonly #kept = new Map<string, readonly T[]>()
  // The wishes of a client are the same object for each of its calls.
  #last: Routing | undefined
  #lastFound: readonly T[] = []

  /** @param select finds those that fit */
  constructor(select: (routing: Routing) => readonly T[], maxKept = 256) {
    this.#select = select
    this.#maxKept = maxKept
  }

  get size(): number {
    return this.#kept.size
  }

  /** Those that fit. */
  of(routing: Routing): readonly T[] {
    if (routing === this.#last) return this.#lastFound
    const name = nameOf(routing)
    let found = this.#kept.get(name)
    if (found === undefined) {
      found = this.#select(routing)
      if (this.#kept.size >= this.#maxKept) this.#kept.clear()
      this.#kept.set(name, found)
    }
    this.#last = routing
    this.#lastFound = found
    return found
  }

  /** The list of candidates is another one. */
  clear(): void {
    this.#kept.clear()
    this.#last = undefined
  }
}

/** Names the wishes, but for the key, which chooses among those that fit. */
function nameOf({ instance, group, version, zone, tags }: Routing): string {
  let name = part(instance) + part(group) + part(version) + part(zone)
  if (tags !== undefined) for (const tag of tags) name += part(tag)
  return name
}

/** With its length, so that no text can look like two. */
function part(text: string | undefined): string {
  return text === undefined ? '-' : `${text.length}:${text}`
}
