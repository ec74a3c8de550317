import { type AppContext, createApp, defineResource } from 'covey'
import { eventPusher } from '../push/pusher-resource.ts'
import { type UserSettings, userSettings } from './settings.ts'
import { openUserDatabase } from './user-database.ts'
import { usersService } from './users-service.ts'

const database = defineResource('database', {
  start: ({ settings, log }: AppContext<UserSettings>) => openUserDatabase(settings.database, log),
  stop: (db) => db.close(),
})

/** The user service: accounts, sessions, friends and requests. */
await createApp({
  name: 'user',
  settings: userSettings,
  resources: [database, eventPusher],
  services: ({ settings, clock, get }) => [
    usersService({ database: get(database), push: get(eventPusher).push, clock, settings }),
  ],
}).start()
