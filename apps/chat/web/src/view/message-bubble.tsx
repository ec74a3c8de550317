import { memo } from 'react'
import { useChat } from './chat-context.ts'
import type { MessageItem } from './log-items.ts'
import { Ticks } from './ticks.tsx'
import { exactTime, timeOfDay } from './times.ts'

interface MessageBubbleProps {
  readonly item: MessageItem
  /** Who wrote it, for those who cannot see on which side it stands. */
  readonly sender: string
}

/** One message. Its text is only ever text. */
export const MessageBubble = memo(
  ({ item, sender }: MessageBubbleProps) => {
    const { clientId, first, last, mark, reason, seq, text, timeMs } = item
    const side = mark === undefined ? 'theirs' : 'mine'
    const place = `${first ? ' first' : ''}${last ? ' last' : ''}`
    return (
      <li className={`message ${side}${place}`} data-seq={seq} data-client-id={clientId}>
        <div className={isOnlyEmoji(text) ? 'bubble emoji' : 'bubble'}>
          <span className="unseen">{sender}: </span>
          <span className="text" dir="auto">
            {text}
          </span>
          <span className="meta">
            <time dateTime={new Date(timeMs).toISOString()} title={exactTime(timeMs)}>
              {timeOfDay(timeMs)}
            </time>
            {mark === undefined ? null : <Ticks mark={mark} />}
          </span>
        </div>
        {reason === '' ? null : <Failed clientId={clientId} reason={reason} />}
      </li>
    )
  },
  (before, after) => before.sender === after.sender && sameItem(before.item, after.item),
)

function Failed({ clientId, reason }: { clientId: string; reason: string }) {
  const { outbox } = useChat()
  return (
    <div className="failed" role="alert">
      <span>Not sent. {reason}</span>
      <button type="button" className="link" onClick={() => outbox.retry(clientId)}>
        Try again
      </button>
      <button type="button" className="link" onClick={() => outbox.discard(clientId)}>
        Delete
      </button>
    </div>
  )
}

function isOnlyEmoji(text: string): boolean {
  return text.length < 40 && /^\p{RGI_Emoji}{1,3}$/v.test(text.trim())
}

function sameItem(a: MessageItem, b: MessageItem): boolean {
  return (
    a.seq === b.seq &&
    a.mark === b.mark &&
    a.reason === b.reason &&
    a.first === b.first &&
    a.last === b.last &&
    a.text === b.text &&
    a.timeMs === b.timeMs
  )
}
