import { useChat, useChatState } from './chat-context.ts'
import { ChatHeader } from './chat-header.tsx'
import { Composer } from './composer.tsx'
import { EmptyPane } from './empty-pane.tsx'
import { MessageLog } from './message-log.tsx'
import { OpeningPane } from './opening-pane.tsx'

/** The chat that is open, or what to do when none is. */
export function ChatPane() {
  const selection = useChatState((state) => state.selection)
  if (selection.kind === 'none') return <EmptyPane />
  if (selection.kind === 'opening') {
    return <OpeningPane friendId={selection.friendId} problem={selection.problem} />
  }
  return <OpenPane key={selection.id} id={selection.id} />
}

function OpenPane({ id }: { id: string }) {
  const chat = useChat()
  const me = useChatState((state) => state.me)
  const conversations = useChatState((state) => state.conversations)
  const conversation = conversations?.get(id)
  const peerId = conversation?.memberIds.find((memberId) => memberId !== me.id)
  const peer = useChatState((state) => state.people.get(peerId ?? ''))
  const back = () => chat.select(undefined)

  if (conversations !== undefined && conversation === undefined) {
    return (
      <main className="pane">
        <ChatHeader peer={undefined} back={back} />
        <p className="pane-center">This chat does not exist, or is not one of yours.</p>
      </main>
    )
  }
  return (
    <main className="pane">
      <ChatHeader peer={peer} back={back} />
      <MessageLog conversation={conversation} peer={peer} />
      <Composer conversationId={id} peer={peer} />
    </main>
  )
}
