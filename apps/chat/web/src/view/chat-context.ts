import { createContext, useContext, useSyncExternalStore } from 'react'
import type { OpenChat } from '../browser/open-chat.ts'
import type { Chat } from '../core/chat.ts'
import type { ChatState } from '../core/chat-state.ts'

/** The running chat, for everything below the chat page. */
export const ChatContext = createContext<OpenChat | undefined>(undefined)

/** The running chat. @throws Error outside of the chat page */
export function useOpenChat(): OpenChat {
  const open = useContext(ChatContext)
  if (open === undefined) throw new Error('useOpenChat outside of the chat page')
  return open
}

/** What the page can do. */
export function useChat(): Chat {
  return useOpenChat().chat
}

/**
 * A part of what the page knows; the component draws again when it changes.
 * @param select must return the same object while nothing in it changed, so take parts, build nothing
 */
export function useChatState<T>(select: (state: ChatState) => T): T {
  const { state } = useChat()
  return useSyncExternalStore(state.subscribe, () => select(state.get()))
}
