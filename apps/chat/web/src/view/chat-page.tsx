import { useEffect, useRef, useState } from 'react'
import type { Person } from '../../../contracts/people.ts'
import { type OpenChat, openChat } from '../browser/open-chat.ts'
import { forgetSelection } from '../browser/selection-hash.ts'
import { unreadOf } from '../core/conversation.ts'
import type { SessionApi } from '../core/session.ts'
import { ChatContext, useChatState } from './chat-context.ts'
import { ChatPane } from './chat-pane.tsx'
import { ConnectionBanner } from './connection-banner.tsx'
import { Sidebar } from './sidebar.tsx'

interface ChatPageProps {
  readonly me: Person
  readonly session: SessionApi
  /** Called with why, as a sentence; empty when it was wanted. */
  readonly onSignedOut: (notice: string) => void
}

const expired = 'Your session has ended. Log in again; nothing you wrote is lost.'

/** The page of somebody who is logged in. */
export function ChatPage({ me, session, onSignedOut }: ChatPageProps) {
  const [open, setOpen] = useState<OpenChat>()
  /** Logging out: the end of the session may be heard before the answer, and is no news then. */
  const leaving = useRef({ asked: false, ended: false })

  // biome-ignore lint/correctness/useExhaustiveDependencies: one connection for the life of this page
  useEffect(() => {
    const opened = openChat(me, session, () => {
      if (leaving.current.asked) leaving.current.ended = true
      else onSignedOut(expired)
    })
    setOpen(opened)
    return () => opened.close()
  }, [])

  if (open === undefined) return null
  const logOut = async () => {
    leaving.current = { asked: true, ended: false }
    try {
      await session.logOut()
    } catch (thrown) {
      const { ended } = leaving.current
      leaving.current = { asked: false, ended: false }
      // The answer was lost, but the wish is fulfilled.
      if (!ended) throw thrown
    }
    open.close()
    forgetSelection()
    onSignedOut('')
  }
  return (
    <ChatContext value={open}>
      <Title />
      <Layout logOut={logOut} />
    </ChatContext>
  )
}

/** On a phone the lists and the chat are two screens; side by side elsewhere. */
function Layout({ logOut }: { logOut: () => Promise<void> }) {
  const chatting = useChatState(({ selection }) => selection.kind !== 'none')
  return (
    <div className={chatting ? 'page chatting' : 'page'}>
      <ConnectionBanner />
      <Sidebar logOut={logOut} />
      <ChatPane />
    </div>
  )
}

/** Shows in the title of the window how much is unread. */
function Title() {
  const conversations = useChatState((state) => state.conversations)
  const myId = useChatState((state) => state.me.id)
  let unread = 0
  for (const conversation of conversations?.values() ?? []) unread += unreadOf(conversation, myId)
  useEffect(() => {
    document.title = unread === 0 ? 'Covey Chat' : `(${unread}) Covey Chat`
  }, [unread])
  return null
}
