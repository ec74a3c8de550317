import { CoveyError, createWebClient, systemClock } from 'covey/client'
import { chat as contract } from '../../../contracts/chat.ts'
import type { Person } from '../../../contracts/people.ts'
import { Chat, type LinkState } from '../core/chat.ts'
import { browserStorage } from '../core/key-value-storage.ts'
import type { SessionApi } from '../core/session.ts'
import { followSelection } from './selection-hash.ts'

/** A running chat. */
export interface OpenChat {
  readonly chat: Chat
  /** Tries to connect now instead of at the end of the wait. */
  readonly retryNow: () => void
  /** Ends it and its connection. Doing it twice is harmless. */
  readonly close: () => void
}

/**
 * Connects the page of one user to the server and to the browser around it.
 * @param onExpired called when the server does not accept the session any more
 */
export function openChat(me: Person, session: SessionApi, onExpired: () => void): OpenChat {
  const closed = new AbortController()
  let state: LinkState = { kind: 'connecting' }
  let chat: Chat | undefined
  const link = createWebClient({
    url: new URL('/rpc', location.href.replace(/^http/, 'ws')).href,
    credential: () => ticketOf(session, onExpired),
    onState(kind, { retryInMs = 0, error }) {
      if (error !== undefined) console.info('not connected:', error.message)
      state = kind === 'waiting' ? { kind, retryInMs } : { kind }
      chat?.linkChanged(state)
    },
  })
  chat = new Chat({
    api: link.client(contract),
    me,
    storage: browserStorage(localStorage),
    clock: systemClock,
    random: Math.random,
    newId: () => crypto.randomUUID(),
    onExpired,
    report: (error) => console.warn(error),
  })
  chat.linkChanged(state)
  const retryNow = () => link.retryNow()
  followBrowser(chat, retryNow, closed.signal)
  followSelection(chat, closed.signal)
  chat.start()
  const running = chat
  const close = () => {
    closed.abort()
    running.stop()
    void link.close()
  }
  return { chat: running, retryNow, close }
}

async function ticketOf(session: SessionApi, onExpired: () => void): Promise<string> {
  try {
    return await session.ticket()
  } catch (thrown) {
    if (CoveyError.from(thrown).code === 'UNAUTHENTICATED') onExpired()
    throw thrown
  }
}

/** Tells the chat what happens to the window, the device and the other tabs. */
function followBrowser(chat: Chat, retryNow: () => void, signal: AbortSignal): void {
  const look = () => chat.look(document.visibilityState === 'visible' && document.hasFocus())
  look()
  for (const name of ['focus', 'blur']) addEventListener(name, look, { signal })
  document.addEventListener('visibilitychange', look, { signal })
  addEventListener('offline', () => void chat.deviceChanged(false), { signal })
  addEventListener(
    'online',
    () => {
      retryNow()
      void chat.deviceChanged(true)
    },
    { signal },
  )
  addEventListener(
    'storage',
    ({ key, newValue }) => {
      if (key !== null) chat.storageChanged(key, newValue)
    },
    { signal },
  )
}
