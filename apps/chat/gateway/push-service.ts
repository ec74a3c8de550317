import { defineService } from 'covey'
import { push } from '../contracts/push.ts'
import type { Connections } from './connections.ts'

/** The contract `push`: events for those who listen at this life of this gateway. */
export function pushService(connections: Connections, ownEpoch: string) {
  return defineService(push, {
    deliver({ epoch, deliveries }, call) {
      if (epoch !== ownEpoch) throw call.error('STALE_ROUTE', { epoch })
      let delivered = 0
      for (const { userIds, event } of deliveries) delivered += connections.deliver(userIds, event)
      return { delivered }
    },
  })
}
