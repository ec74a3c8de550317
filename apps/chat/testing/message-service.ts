import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { silentLog } from 'covey'
import { FakeClock, LocalService } from 'covey/testing'
import { conversationsService } from '../message/conversations-service.ts'
import type { AreFriends } from '../message/friend-check.ts'
import { openMessageDatabase } from '../message/message-database.ts'
import { messageSettings } from '../message/settings.ts'
import { defaultsOf } from './defaults-of.ts'
import { Pushes } from './pushes.ts'
import { tempFolder } from './temp-folder.ts'

/** Three users, of whom `ann` and `bob` are friends of each other and of nobody else. */
export const ann = 'u_ann-------'
export const bob = 'u_bob-------'
export const eve = 'u_eve-------'

/** What tests of the message service may choose. */
export interface MessageServiceOptions {
  clock?: FakeClock
  flood?: { burst: number; perSecond: number }
  /** Default: only ann and bob are friends. */
  areFriends?: AreFriends
}

/** The message service on a database of its own, with what tests turn and look at. */
export async function startMessageService(test: TestContext, options: MessageServiceOptions = {}) {
  const { clock = new FakeClock(), flood = { burst: 1_000_000, perSecond: 1 } } = options
  const path = join(await tempFolder(test), 'message.db')
  const database = openMessageDatabase(path, silentLog)
  test.after(() => database.close())
  const pushes = new Pushes()
  const friends = new Set([pairOf(ann, bob)])
  const asked: string[] = []
  const userService: { error: Error | undefined } = { error: undefined }
  const server = new LocalService(
    conversationsService({
      database,
      clock,
      push: (userIds, event) => pushes.push(userIds, event),
      areFriends: async (a, b) => {
        if (userService.error !== undefined) throw userService.error
        asked.push(pairOf(a, b))
        return options.areFriends?.(a, b) ?? friends.has(pairOf(a, b))
      },
      settings: { ...defaultsOf(messageSettings), flood },
    }),
    { clock },
  )
  const api = server.client()
  let sent = 0

  /** Sends with a client id of its own. */
  function send(conversationId: string, senderId: string, text: string) {
    sent += 1
    return api.send({ conversationId, senderId, clientId: `client-${sent}`, text })
  }

  function setFriends(a: string, b: string, are: boolean): void {
    if (are) friends.add(pairOf(a, b))
    else friends.delete(pairOf(a, b))
  }

  return { api, server, database, path, clock, pushes, asked, send, setFriends, userService }
}

function pairOf(a: string, b: string): string {
  return [a, b].sort().join(' ')
}
