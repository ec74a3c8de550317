import type { Message } from '../../../contracts/messages.ts'

/**
 * The part of a history that is loaded. `messages` has no holes: each sequence is one more than the
 * one before. What arrived early waits in `ahead` until the messages between are there.
 */
export interface Timeline {
  readonly messages: readonly Message[]
  /** Ascending, all of them beyond a hole. */
  readonly ahead: readonly Message[]
}

/** Early messages kept at most; what is dropped comes again with the pull that fills the hole. */
export const maxAhead = 200

/** A history of which nothing is there, because there is nothing or because nothing is loaded. */
export const emptyTimeline: Timeline = { messages: [], ahead: [] }

/** Sequence of the newest loaded message; 0 when there is none. */
export function endOf(timeline: Timeline): number {
  return timeline.messages.at(-1)?.seq ?? 0
}

/** Whether messages exist that are older than the loaded ones. */
export function hasOlder(timeline: Timeline): boolean {
  return (timeline.messages[0]?.seq ?? 1) > 1
}

/**
 * Adds messages at the new end, in any order; duplicates and older ones are dropped. Returns the same
 * object when nothing changed.
 */
export function extend(timeline: Timeline, incoming: readonly Message[]): Timeline {
  const end = endOf(timeline)
  const waiting = new Map(timeline.ahead.map((message) => [message.seq, message]))
  for (const message of incoming) {
    if (message.seq > end && !waiting.has(message.seq)) waiting.set(message.seq, message)
  }
  if (waiting.size === timeline.ahead.length) return timeline
  const joined: Message[] = []
  for (let next = waiting.get(end + 1); next !== undefined; next = waiting.get(next.seq + 1)) {
    joined.push(next)
    waiting.delete(next.seq)
  }
  const ahead = [...waiting.values()].sort((a, b) => a.seq - b.seq).slice(0, maxAhead)
  const messages = joined.length === 0 ? timeline.messages : [...timeline.messages, ...joined]
  return { messages, ahead }
}

/**
 * The newest page of a history, as the start of a timeline. A page with a hole is cut to what is
 * behind the hole, so that the rule of `messages` always holds.
 */
export function startWith(page: readonly Message[]): Timeline {
  return { messages: wholeEnd(page), ahead: [] }
}

/** Adds an older page at the front. Whatever does not join the loaded part is dropped. */
export function prepend(timeline: Timeline, page: readonly Message[]): Timeline {
  const first = timeline.messages[0]
  if (first === undefined) return timeline
  const older = wholeEnd(page.filter(({ seq }) => seq < first.seq))
  if (older.at(-1)?.seq !== first.seq - 1) return timeline
  return { ...timeline, messages: [...older, ...timeline.messages] }
}

/** Forgets all but the newest `keep` messages; they load again when they are scrolled to. */
export function trim(timeline: Timeline, keep: number): Timeline {
  if (timeline.messages.length <= keep) return timeline
  return { ...timeline, messages: timeline.messages.slice(-keep) }
}

/** The longest end of a page that has no hole. */
function wholeEnd(page: readonly Message[]): readonly Message[] {
  let start = page.length - 1
  while (start > 0 && page[start - 1]!.seq === page[start]!.seq - 1) start -= 1
  return page.slice(Math.max(0, start))
}
