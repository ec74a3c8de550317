/** Text by key, kept beyond a reload where the browser allows it. */
export interface KeyValueStorage {
  /** Keys that begin with `prefix`. */
  keys(prefix: string): string[]
  get(key: string): string | undefined
  /** Keeps `value`; when the storage is full or forbidden it lasts only as long as the page. */
  set(key: string, value: string): void
  remove(key: string): void
}

/** Keeps text as long as the object lives. */
export function memoryStorage(): KeyValueStorage {
  const entries = new Map<string, string>()
  return {
    keys: (prefix) => [...entries.keys()].filter((key) => key.startsWith(prefix)),
    get: (key) => entries.get(key),
    set: (key, value) => void entries.set(key, value),
    remove: (key) => void entries.delete(key),
  }
}

/** Keeps text in the browser. What it refuses (full, private mode) is kept in memory instead. */
export function browserStorage(storage: Storage): KeyValueStorage {
  const refused = memoryStorage()
  return {
    keys(prefix) {
      const kept = Object.keys(storage).filter((key) => key.startsWith(prefix))
      return [...new Set([...kept, ...refused.keys(prefix)])]
    },
    get: (key) => refused.get(key) ?? storage.getItem(key) ?? undefined,
    set(key, value) {
      try {
        storage.setItem(key, value)
        refused.remove(key)
      } catch {
        refused.set(key, value)
      }
    },
    remove(key) {
      refused.remove(key)
      storage.removeItem(key)
    },
  }
}
