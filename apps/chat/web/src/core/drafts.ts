import type { KeyValueStorage } from './key-value-storage.ts'

/** What somebody began to write and did not send, by conversation. */
export interface Drafts {
  /** Empty when there is none. */
  get(conversationId: string): string
  /** Keeps a draft beyond a reload; an empty one is forgotten. */
  set(conversationId: string, text: string): void
}

/** Drafts of one user on this device. */
export function createDrafts(storage: KeyValueStorage, userId: string): Drafts {
  const keyOf = (conversationId: string) => `covey-chat.draft.${userId}.${conversationId}`
  return {
    get: (conversationId) => storage.get(keyOf(conversationId)) ?? '',
    set(conversationId, text) {
      if (text === '') storage.remove(keyOf(conversationId))
      else storage.set(keyOf(conversationId), text)
    },
  }
}
