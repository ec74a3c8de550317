import { useId } from 'react'
import type { Person } from '../../../contracts/people.ts'
import { Avatar } from './avatar.tsx'
import { useChat, useChatState } from './chat-context.ts'
import { SkeletonRows } from './skeleton-rows.tsx'

/** Friends, those who are there first. A click opens the chat. */
export function FriendList() {
  const friends = useChatState((state) => state.friends)
  const online = useChatState((state) => state.online)
  const id = useId()
  const sorted = [...(friends ?? [])].sort(
    (a, b) =>
      Number(online.get(b.id) ?? false) - Number(online.get(a.id) ?? false) ||
      a.nickname.localeCompare(b.nickname),
  )
  return (
    <section aria-labelledby={id}>
      <header className="list-head">
        <h2 id={id}>Friends</h2>
      </header>
      {friends === undefined ? <SkeletonRows count={3} /> : null}
      {friends?.length === 0 ? (
        <p className="empty">Nobody yet. Look for people above and ask them to join you.</p>
      ) : null}
      <ul aria-labelledby={id}>
        {sorted.map((friend) => (
          <FriendRow key={friend.id} friend={friend} online={online.get(friend.id) ?? false} />
        ))}
      </ul>
    </section>
  )
}

function FriendRow({ friend, online }: { friend: Person; online: boolean }) {
  const chat = useChat()
  return (
    <li>
      <button
        type="button"
        className="row row-button"
        onClick={() => void chat.openFriend(friend.id)}
      >
        <Avatar person={friend} online={online} size="small" />
        <span className="row-text">
          <span className="clip name">{friend.nickname}</span>
        </span>
        <span className={online ? 'presence present' : 'presence'}>
          {online ? 'Online' : 'Offline'}
        </span>
      </button>
    </li>
  )
}
