import { useChat, useChatState } from './chat-context.ts'
import { ChatHeader } from './chat-header.tsx'

/** A chat that the server is asked to open; says why when it was not. */
export function OpeningPane({ friendId, problem }: { friendId: string; problem: string }) {
  const chat = useChat()
  const peer = useChatState((state) => state.people.get(friendId))
  return (
    <main className="pane">
      <ChatHeader peer={peer} back={() => chat.select(undefined)} />
      <div className="pane-center" role="status">
        <p>{problem === '' ? 'Opening the chat…' : problem}</p>
        {problem === '' ? null : (
          <button type="button" className="button" onClick={() => void chat.openFriend(friendId)}>
            Try again
          </button>
        )}
      </div>
    </main>
  )
}
