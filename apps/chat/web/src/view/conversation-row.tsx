import { memo } from 'react'
import type { ConversationState, Outgoing } from '../core/chat-state.ts'
import { peerOf, progressOf, unreadOf } from '../core/conversation.ts'
import { Avatar } from './avatar.tsx'
import { useChat, useChatState } from './chat-context.ts'
import { type Mark, Ticks } from './ticks.tsx'
import { listTime } from './times.ts'

interface ConversationRowProps {
  readonly conversation: ConversationState
  /** The newest message that the server has not confirmed. */
  readonly pending: Outgoing | undefined
}

/** One conversation in the list: who, what was said last, when, and how much is unread. */
export const ConversationRow = memo(({ conversation, pending }: ConversationRowProps) => {
  const chat = useChat()
  const myId = useChatState((state) => state.me.id)
  const peerId = peerOf(conversation, myId)
  const peer = useChatState((state) => state.people.get(peerId))
  const online = useChatState((state) => state.online.get(peerId))
  const open = useChatState(
    ({ selection }) => selection.kind === 'conversation' && selection.id === conversation.id,
  )
  const unread = unreadOf(conversation, myId)
  const { mark, text, timeMs } = lastLine(conversation, pending, myId)
  return (
    <li>
      <button
        type="button"
        className="row row-button conversation"
        aria-current={open ? 'true' : undefined}
        onClick={() => chat.select(conversation.id)}
      >
        <Avatar
          person={peer ?? { id: peerId, nickname: '…', username: '' }}
          {...(online === undefined ? {} : { online })}
        />
        <span className="row-text">
          <span className="row-line">
            <span className="clip name">{peer?.nickname ?? '…'}</span>
            <time className="quiet">{listTime(timeMs, Date.now())}</time>
          </span>
          <span className="row-line">
            {mark === undefined ? null : <Ticks mark={mark} />}
            <span className={unread > 0 ? 'clip preview unread' : 'clip preview'}>{text}</span>
            {unread > 0 ? (
              <span className="badge" role="img" aria-label={`${unread} unread`}>
                {unread > 99 ? '99+' : unread}
              </span>
            ) : null}
          </span>
        </span>
      </button>
    </li>
  )
})

interface LastLine {
  /** How far it has come, when it is an own message. */
  readonly mark: Mark | undefined
  readonly text: string
  readonly timeMs: number
}

function lastLine(
  conversation: ConversationState,
  pending: Outgoing | undefined,
  myId: string,
): LastLine {
  if (pending !== undefined) {
    const mark = pending.stage === 'waiting' ? 'sending' : pending.stage
    return { mark, text: pending.text, timeMs: pending.createdAtMs }
  }
  const { lastMessage } = conversation
  if (lastMessage === null) return { mark: undefined, text: '', timeMs: 0 }
  const { senderId, sentAtMs, text } = lastMessage
  const mark = senderId === myId ? progressOf(conversation, lastMessage, myId) : undefined
  return { mark, text, timeMs: sentAtMs }
}
