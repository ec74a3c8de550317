import { defineResource } from 'covey'
import { presence } from '../contracts/presence.ts'
import { push } from '../contracts/push.ts'
import { EventPusher } from './event-pusher.ts'

/** Pushing as a part of an application. It stops after the calls have ended, and gives the last events a second. */
export const eventPusher = defineResource('event pusher', {
  start: ({ client, clock, log }) =>
    new EventPusher({ presence: client(presence), push: client(push), clock, log }),
  stop: (pusher) => pusher.close(),
})
