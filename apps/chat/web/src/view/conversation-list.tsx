import { useId } from 'react'
import type { ConversationState, Outgoing } from '../core/chat-state.ts'
import { useChatState } from './chat-context.ts'
import { ConversationRow } from './conversation-row.tsx'
import { SkeletonRows } from './skeleton-rows.tsx'

/** Conversations in which something was said, the newest first. */
export function ConversationList() {
  const conversations = useChatState((state) => state.conversations)
  const outgoing = useChatState((state) => state.outgoing)
  const id = useId()
  const rows = [...(conversations?.values() ?? [])]
    .map((conversation) => ({ conversation, pending: outgoing.get(conversation.id)?.at(-1) }))
    .filter(({ conversation, pending }) => conversation.lastSeq > 0 || pending !== undefined)
    .sort((a, b) => lastTime(b) - lastTime(a))
  return (
    <section aria-labelledby={id}>
      <header className="list-head">
        <h2 id={id}>Chats</h2>
      </header>
      {conversations === undefined ? <SkeletonRows count={3} /> : null}
      {conversations !== undefined && rows.length === 0 ? (
        <p className="empty">No chats yet. Open somebody from the list below and say hello.</p>
      ) : null}
      <ul aria-labelledby={id}>
        {rows.map(({ conversation, pending }) => (
          <ConversationRow key={conversation.id} conversation={conversation} pending={pending} />
        ))}
      </ul>
    </section>
  )
}

interface Row {
  readonly conversation: ConversationState
  readonly pending: Outgoing | undefined
}

function lastTime({ conversation, pending }: Row): number {
  return Math.max(conversation.lastMessage?.sentAtMs ?? 0, pending?.createdAtMs ?? 0)
}
