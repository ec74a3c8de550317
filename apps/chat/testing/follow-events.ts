import type { TestContext } from 'node:test'
import { type Client, CoveyError } from 'covey'
import type { chat } from '../contracts/chat.ts'
import type { ChatEvent } from '../contracts/push.ts'

/** Reads a client's events in the background; `seen` grows, `ended` settles with the error that ended them. */
export function followEvents(test: TestContext, api: Pick<Client<typeof chat>, 'events'>) {
  const abort = new AbortController()
  test.after(() => abort.abort())
  const seen: ChatEvent[] = []
  const ended = (async () => {
    try {
      for await (const event of api.events(undefined, { signal: abort.signal })) seen.push(event)
      return undefined
    } catch (error) {
      return CoveyError.from(error)
    }
  })()

  function of<T extends ChatEvent['type']>(type: T): Extract<ChatEvent, { type: T }>[] {
    return seen.filter((event): event is Extract<ChatEvent, { type: T }> => event.type === type)
  }

  return { seen, of, ended, stop: () => abort.abort() }
}
