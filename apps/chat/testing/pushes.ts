import type { ChatEvent } from '../contracts/push.ts'
import type { PushEvent } from '../push/push-event.ts'

/** Keeps what is pushed, for tests to look at. */
export class Pushes {
  readonly all: { userIds: string[]; event: ChatEvent }[] = []

  /** Where pushes go on to, if anywhere. */
  forward: PushEvent | undefined

  readonly push: PushEvent = (userIds, event) => {
    this.forward?.(userIds, event)
    // Copied as a line would, so that what changes later does not change here.
    this.all.push(structuredClone({ userIds: [...userIds], event }))
  }

  /** Events that one user would get, in order. */
  to(userId: string): ChatEvent[] {
    return this.all.filter(({ userIds }) => userIds.includes(userId)).map(({ event }) => event)
  }
}
