import { defineService } from 'covey'
import { presence } from '../contracts/presence.ts'
import type { PresenceBoard } from './presence-board.ts'

/** The contract `presence`, over a board. */
export function presenceService(board: PresenceBoard) {
  return defineService(presence, {
    announce: (announcement) => ({ renewed: board.announce(announcement) }),
    routes: ({ userIds }) => board.routes(userIds),
    online: ({ userIds }) => board.online(userIds),
    watch: ({ userIds }, call) => board.watch(userIds, call.signal),
  })
}
