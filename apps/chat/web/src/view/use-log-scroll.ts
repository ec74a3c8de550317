import { type RefObject, useEffect, useLayoutEffect, useRef, useState } from 'react'

interface LogScrollOptions {
  /** Sequence of the oldest loaded message; grows smaller when an older page was put in front. */
  readonly firstSeq: number
  readonly lastSeq: number
  /** The newest own message that is on its way; empty when there is none. */
  readonly lastOwn: string
  /** Called when the top comes near; undefined while there is nothing to load. */
  readonly onNearTop: (() => void) | undefined
}

interface LogScroll {
  readonly frame: RefObject<HTMLDivElement | null>
  readonly content: RefObject<HTMLDivElement | null>
  /** The line above the first unread message. */
  readonly unread: RefObject<HTMLLIElement | null>
  readonly onScroll: () => void
  readonly toBottom: () => void
  /** Whether somebody has scrolled up. */
  readonly away: boolean
  /** Messages that came since then. */
  readonly below: number
}

/** Where a history was when it was looked at last. */
interface Place {
  atBottom: boolean
  scrollTop: number
  scrollHeight: number
  clientHeight: number
  firstSeq: number
  /** Place of the oldest message in the content. */
  firstTop: number
  lastOwn: string
}

/** Distance from the bottom that still counts as being there, in pixels. */
const nearBottom = 80
/** Distance from the top at which the older page is asked for, in pixels. */
const nearTop = 600

/**
 * Scrolling of a history. It stays at the newest message while somebody is there, does not move when
 * somebody reads further up, and keeps its place when an older page is put in front. The browser's own
 * anchoring is off (`overflow-anchor: none`), because it does nothing at the very top.
 */
export function useLogScroll(options: LogScrollOptions): LogScroll {
  const { firstSeq, lastOwn, lastSeq, onNearTop } = options
  const frame = useRef<HTMLDivElement>(null)
  const content = useRef<HTMLDivElement>(null)
  const unread = useRef<HTMLLIElement>(null)
  const place = useRef<Place>({ ...nowhere })
  const [away, setAway] = useState(false)
  const [seenSeq, setSeenSeq] = useState(lastSeq)

  const look = (log: HTMLElement) => {
    noticeMove(log, place.current)
    setAway(!place.current.atBottom)
    if (log.scrollTop < nearTop) onNearTop?.()
  }

  useLayoutEffect(() => {
    const log = frame.current
    if (log === null) return
    const before = place.current
    noticeMove(log, before)
    const written = lastOwn !== '' && lastOwn !== before.lastOwn
    if (before.firstSeq === 0) before.atBottom = openAt(log, unread.current)
    else if (firstSeq < before.firstSeq)
      log.scrollTop += topOf(log, before.firstSeq) - before.firstTop
    else if (before.atBottom || written) toEnd(log)
    before.lastOwn = lastOwn === '' ? before.lastOwn : lastOwn
    before.firstSeq = firstSeq
    measure(log, before)
    look(log)
  })

  useEffect(() => {
    if (!away) setSeenSeq(lastSeq)
  }, [away, lastSeq])

  // A turned phone, an opened keyboard and a growing box below change the size without a new message.
  useEffect(() => {
    const log = frame.current
    if (log === null || content.current === null) return
    const sizes = new ResizeObserver(() => {
      if (place.current.atBottom) toEnd(log)
      measure(log, place.current)
    })
    sizes.observe(log)
    sizes.observe(content.current)
    return () => sizes.disconnect()
  }, [])

  return {
    frame,
    content,
    unread,
    away,
    below: away ? Math.max(0, lastSeq - seenSeq) : 0,
    onScroll: () => frame.current !== null && look(frame.current),
    toBottom: () => frame.current !== null && toEnd(frame.current),
  }
}

const nowhere: Place = {
  atBottom: true,
  scrollTop: 0,
  scrollHeight: 0,
  clientHeight: 0,
  firstSeq: 0,
  firstTop: 0,
  lastOwn: '',
}

/** Only somebody who moves up leaves the bottom; a change of size moves the content by itself. */
function noticeMove(log: HTMLElement, place: Place): void {
  const { clientHeight, scrollHeight, scrollTop } = log
  const resized = scrollHeight < place.scrollHeight || clientHeight !== place.clientHeight
  if (scrollHeight - scrollTop - clientHeight < nearBottom) place.atBottom = true
  else if (scrollTop < place.scrollTop && !resized) place.atBottom = false
  place.scrollTop = scrollTop
}

function measure(log: HTMLElement, place: Place): void {
  place.scrollTop = log.scrollTop
  place.scrollHeight = log.scrollHeight
  place.clientHeight = log.clientHeight
  place.firstTop = topOf(log, place.firstSeq)
}

function toEnd(log: HTMLElement): void {
  log.scrollTop = log.scrollHeight
}

/** Place of a message in the content; 0 when it is not there. */
function topOf(log: HTMLElement, seq: number): number {
  return log.querySelector<HTMLElement>(`[data-seq="${seq}"]`)?.offsetTop ?? 0
}

/**
 * A chat opens at its end, or where the unread begins when that is further up.
 * @returns whether it opened at the end
 */
function openAt(log: HTMLElement, unread: HTMLElement | null): boolean {
  toEnd(log)
  if (unread === null) return true
  const above = log.getBoundingClientRect().top - unread.getBoundingClientRect().top
  if (above <= 0) return true
  log.scrollTop -= above + 48
  return false
}
