import type { ChatState } from './chat-state.ts'
import type { Store } from './store.ts'

/** Parts of the page that get no answer from a server that can be reached. */
export interface Trouble {
  /** `part` begins to fail, or works again. */
  set(part: string, failing: boolean): void
  /** Forgets all of it, as when the connection as a whole is gone. */
  clear(): void
}

/** Keeps `struggling` of the state: true while at least one part fails. */
export function createTrouble(store: Store<ChatState>): Trouble {
  const failing = new Set<string>()
  const show = () => {
    const struggling = failing.size > 0
    store.update((state) => (state.struggling === struggling ? state : { ...state, struggling }))
  }
  return {
    set(part, now) {
      if (now) failing.add(part)
      else failing.delete(part)
      show()
    },
    clear() {
      failing.clear()
      show()
    },
  }
}
