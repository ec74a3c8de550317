import { type AppContext, createApp, defineResource } from 'covey'
import { users } from '../contracts/users.ts'
import { eventPusher } from '../push/pusher-resource.ts'
import { conversationsService } from './conversations-service.ts'
import { openMessageDatabase } from './message-database.ts'
import { pushRecent } from './push-recent.ts'
import { type MessageSettings, messageSettings } from './settings.ts'

const database = defineResource('database', {
  start: ({ settings, log }: AppContext<MessageSettings>) =>
    openMessageDatabase(settings.database, log),
  stop: (db) => db.close(),
})

const youngMessages = defineResource('young messages', {
  start: ({ settings, clock, log, get }: AppContext<MessageSettings>) => {
    const { push } = get(eventPusher)
    pushRecent({ database: get(database), push, clock, log }, settings.pushAgainMs)
  },
})

/** The message service: conversations, messages and receipts. */
await createApp({
  name: 'message',
  settings: messageSettings,
  resources: [database, eventPusher, youngMessages],
  services: ({ settings, clock, client, get }) => {
    const { areFriends } = client(users)
    return [
      conversationsService({
        database: get(database),
        push: get(eventPusher).push,
        areFriends: (a, b) => areFriends({ a, b }),
        clock,
        settings,
      }),
    ]
  },
}).start()
