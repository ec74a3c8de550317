import type { Person } from '../../../contracts/people.ts'
import { Avatar } from './avatar.tsx'
import { useChatState } from './chat-context.ts'
import { Icon } from './icon.tsx'

/** With whom the chat is, and whether they are there. */
export function ChatHeader({ peer, back }: { peer: Person | undefined; back: () => void }) {
  const online = useChatState((state) => state.online.get(peer?.id ?? ''))
  return (
    <header className="chat-header">
      <button type="button" className="round back" onClick={back} aria-label="Back to the lists">
        <Icon name="back" />
      </button>
      {peer === undefined ? null : (
        <>
          <Avatar person={peer} />
          <div className="row-text">
            <h1 className="clip">{peer.nickname}</h1>
            <span className={online ? 'presence present' : 'presence'}>
              {online ? 'Online' : 'Offline'}
            </span>
          </div>
        </>
      )}
    </header>
  )
}
