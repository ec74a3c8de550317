import { useEffect, useState } from 'react'
import type { ChatState } from '../core/chat-state.ts'
import { useChatState, useOpenChat } from './chat-context.ts'
import { useLater } from './use-later.ts'

type Notice = 'none' | 'connecting' | 'offline' | 'lost' | 'struggling' | 'back'

const texts: Record<Notice, string> = {
  none: '',
  connecting: 'Connecting…',
  offline: 'You are offline. What you write is kept and goes out when you are back.',
  lost: 'Connection lost. Reconnecting…',
  struggling: 'A part of the server does not answer. What you write is kept and goes out.',
  back: 'Connected again.',
}

/** Time for which a good end is told, in milliseconds. */
const backMs = 2_500

/** Says how the connection is whenever it is not simply there. */
export function ConnectionBanner() {
  const { retryNow } = useOpenChat()
  const connection = useChatState((state) => state.connection)
  const notice = useNotice()
  const retryAtMs = connection.kind === 'reconnecting' ? connection.retryAtMs : undefined
  return (
    <div className={`banner banner-${notice}`}>
      <output>{texts[notice]}</output>
      {notice === 'lost' && retryAtMs !== undefined ? (
        <>
          <Countdown untilMs={retryAtMs} />
          <button type="button" className="link" onClick={retryNow}>
            Try now
          </button>
        </>
      ) : null}
    </div>
  )
}

/** What to say. Short trouble of the server and a quick first connection are not worth a word. */
function useNotice(): Notice {
  const now = useChatState(noticeOf)
  const settled = useLater(now === 'struggling' || now === 'connecting', 1_000)
  const [wasBad, setWasBad] = useState(false)
  const bad = now === 'lost' || now === 'offline'
  const over = useLater(wasBad && now === 'none', backMs)

  useEffect(() => {
    if (bad) setWasBad(true)
    else if (over) setWasBad(false)
  }, [bad, over])

  if (now === 'struggling' || now === 'connecting') return settled ? now : 'none'
  return now === 'none' && wasBad ? 'back' : now
}

function noticeOf({ connection, deviceOffline, struggling }: ChatState): Notice {
  if (deviceOffline) return 'offline'
  if (connection.kind === 'starting') return 'connecting'
  if (connection.kind === 'reconnecting') return 'lost'
  return struggling ? 'struggling' : 'none'
}

/** Seconds until the next try; not read out, because it changes all the time. */
function Countdown({ untilMs }: { untilMs: number }) {
  const [nowMs, setNowMs] = useState(() => Date.now())
  useEffect(() => {
    const timer = setInterval(() => setNowMs(Date.now()), 500)
    return () => clearInterval(timer)
  }, [])
  const seconds = Math.ceil((untilMs - nowMs) / 1_000)
  return seconds < 1 ? null : <span aria-hidden="true">Next try in {seconds} s</span>
}
