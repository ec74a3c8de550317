import { type RefObject, useMemo, useState } from 'react'
import type { Person } from '../../../contracts/people.ts'
import type { ConversationState, Outgoing } from '../core/chat-state.ts'
import { unreadOf } from '../core/conversation.ts'
import { hasOlder, type Timeline } from '../core/timeline.ts'
import { useChat, useChatState } from './chat-context.ts'
import { Icon } from './icon.tsx'
import { type LogItem, logItems } from './log-items.ts'
import { LogTop } from './log-top.tsx'
import { MessageBubble } from './message-bubble.tsx'
import { useLogScroll } from './use-log-scroll.ts'

interface MessageLogProps {
  /** Undefined until it was loaded. */
  readonly conversation: ConversationState | undefined
  readonly peer: Person | undefined
}

const none: readonly Outgoing[] = []

/** The history of a chat: the newest at the bottom, older pages as one scrolls up. */
export function MessageLog({ conversation, peer }: MessageLogProps) {
  const timeline = conversation?.timeline
  if (conversation === undefined || timeline === undefined) {
    return (
      <div className="log log-loading" aria-busy="true">
        <span className="skeleton skeleton-bubble theirs" />
        <span className="skeleton skeleton-bubble mine" />
        <span className="skeleton skeleton-bubble theirs" />
      </div>
    )
  }
  const name = peer?.nickname ?? '…'
  return <LoadedLog conversation={conversation} timeline={timeline} name={name} />
}

interface LoadedLogProps {
  readonly conversation: ConversationState
  readonly timeline: Timeline
  /** Of the other one. */
  readonly name: string
}

function LoadedLog({ conversation, timeline, name }: LoadedLogProps) {
  const { history } = useChat()
  const { id, older } = conversation
  const myId = useChatState((state) => state.me.id)
  const outgoing = useChatState((state) => state.outgoing.get(id)) ?? none
  const unreadFrom = useUnreadFrom(conversation, myId)
  const items = useMemo(
    () => logItems(conversation, outgoing, myId, unreadFrom, Date.now()),
    [conversation, outgoing, myId, unreadFrom],
  )
  const more = hasOlder(timeline)
  const loadOlder = () => void history.loadOlder(id)
  const scroll = useLogScroll({
    firstSeq: timeline.messages[0]?.seq ?? 0,
    lastSeq: timeline.messages.at(-1)?.seq ?? 0,
    lastOwn: outgoing.at(-1)?.clientId ?? '',
    onNearTop: more && older === 'idle' ? loadOlder : undefined,
  })
  return (
    <div className="log-frame">
      <div
        ref={scroll.frame}
        className="log"
        role="log"
        aria-label={`Chat with ${name}`}
        aria-busy={older === 'loading'}
        onScroll={scroll.onScroll}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scroller must be reachable by keyboard
        tabIndex={0}
      >
        <div ref={scroll.content} className="log-content">
          {more ? <LogTop failed={older === 'failed'} loadOlder={loadOlder} /> : null}
          {items.length === 0 ? (
            <p className="pane-center">Nothing was said yet. Say hello!</p>
          ) : null}
          <LogLines items={items} myId={myId} name={name} unread={scroll.unread} />
        </div>
      </div>
      {scroll.away ? <ToBottom below={scroll.below} toBottom={scroll.toBottom} /> : null}
    </div>
  )
}

interface LogLinesProps {
  readonly items: readonly LogItem[]
  readonly myId: string
  readonly name: string
  /** Takes the line above the first unread message. */
  readonly unread: RefObject<HTMLLIElement | null>
}

function LogLines({ items, myId, name, unread }: LogLinesProps) {
  return (
    <ol>
      {items.map((item) => {
        if (item.kind === 'message') {
          const sender = item.senderId === myId ? 'You' : name
          return <MessageBubble key={item.key} item={item} sender={sender} />
        }
        const day = item.kind === 'day'
        return (
          <li key={item.key} className={day ? 'day' : 'unread-line'} ref={day ? undefined : unread}>
            <span>{day ? item.text : 'New'}</span>
          </li>
        )
      })}
    </ol>
  )
}

function ToBottom({ below, toBottom }: { below: number; toBottom: () => void }) {
  return (
    <button
      type="button"
      className="round to-bottom"
      onClick={toBottom}
      aria-label="Go to the newest"
    >
      <Icon name="down" />
      {below > 0 ? <span className="badge">{below}</span> : null}
    </button>
  )
}

/** First sequence that was unread when the chat was opened; 0 when all was read. */
function useUnreadFrom(conversation: ConversationState, myId: string): number {
  const [from] = useState(() => {
    const unread = unreadOf(conversation, myId)
    return unread === 0 ? 0 : conversation.lastSeq - unread + 1
  })
  return from
}
