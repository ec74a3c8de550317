import { type AppContext, createApp, defineResource } from 'covey'
import { PresenceBoard } from './presence-board.ts'
import { presenceService } from './presence-service.ts'
import { type PresenceSettings, presenceSettings } from './settings.ts'

const board = defineResource('board', {
  start: ({ settings, clock }: AppContext<PresenceSettings>) => new PresenceBoard(clock, settings),
  stop: (value) => value.close(),
})

/** The presence service: who is on which gateway. */
await createApp({
  name: 'presence',
  settings: presenceSettings,
  resources: [board],
  services: ({ get }) => [presenceService(get(board))],
}).start()
