import { useState } from 'react'
import { useChat, useChatState } from './chat-context.ts'
import { ConversationList } from './conversation-list.tsx'
import { FriendList } from './friend-list.tsx'
import { PeopleSearch } from './people-search.tsx'
import { ProfileBar } from './profile-bar.tsx'
import { RefusalList } from './refusal-list.tsx'
import { RequestList } from './request-list.tsx'
import { SearchResults } from './search-results.tsx'

/** Who and what there is to chat with. */
export function Sidebar({ logOut }: { logOut: () => Promise<void> }) {
  const { contacts } = useChat()
  const [text, setText] = useState('')
  const clear = () => {
    setText('')
    void contacts.find('')
  }
  const requested = useChatState(({ requests }) => requests !== undefined && requests.length > 0)
  return (
    <nav className="sidebar" aria-label="Chats and people">
      <ProfileBar logOut={logOut} />
      <PeopleSearch text={text} setText={setText} clear={clear} />
      <div className="sidebar-lists">
        <SearchResults clear={clear} />
        <RefusalList />
        {requested ? <RequestList /> : null}
        <ConversationList />
        <FriendList />
      </div>
    </nav>
  )
}
