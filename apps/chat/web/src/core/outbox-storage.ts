import { z } from 'zod'
import type { KeyValueStorage } from './key-value-storage.ts'

const Stored = z.object({
  conversationId: z.string(),
  clientId: z.string(),
  text: z.string(),
  createdAtMs: z.number(),
  /** Place among all unsent messages of this user. */
  order: z.number(),
  /** Why it failed for good; empty while it is still being tried. */
  reason: z.string(),
})

/** An unsent message as it survives a reload. */
export type StoredMessage = z.infer<typeof Stored>

/** Unsent messages of one user on this device. */
export interface OutboxStorage {
  /** All of them, in the order they were written. Unreadable entries are removed. */
  load(): StoredMessage[]
  save(message: StoredMessage): void
  remove(clientId: string): void
  /** The client id that a storage key stands for, or undefined when it is not one of these. */
  idOf(key: string): string | undefined
}

/**
 * Keeps each message under a key of its own, so that several tabs of one user never overwrite each
 * other's.
 */
export function createOutboxStorage(storage: KeyValueStorage, userId: string): OutboxStorage {
  const prefix = `covey-chat.outbox.${userId}.`
  return {
    load() {
      const messages: StoredMessage[] = []
      for (const key of storage.keys(prefix)) {
        const message = read(storage.get(key))
        if (message === undefined) storage.remove(key)
        else messages.push(message)
      }
      return messages.sort((a, b) => a.order - b.order || a.createdAtMs - b.createdAtMs)
    },
    save: (message) => storage.set(prefix + message.clientId, JSON.stringify(message)),
    remove: (clientId) => storage.remove(prefix + clientId),
    idOf: (key) => (key.startsWith(prefix) ? key.slice(prefix.length) : undefined),
  }
}

function read(text: string | undefined): StoredMessage | undefined {
  try {
    return Stored.safeParse(JSON.parse(text ?? '')).data
  } catch {
    return undefined
  }
}
