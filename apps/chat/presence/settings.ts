import { defineSettings, type SettingsOf } from 'covey'
import { z } from 'zod'

/** Settings of the presence service: section `presence` of `config.yaml`, `PRESENCE__…` in the environment. */
export const presenceSettings = defineSettings('presence', {
  /** How long a user without a connection still counts as online, in milliseconds: time to reload a page. */
  offlineAfterMs: z.number().int().nonnegative().default(1_000),
  /** After its start, how long the service leaves time to gateways before it calls anybody offline, in milliseconds. */
  warmUpMs: z.number().int().nonnegative().default(5_000),
})

export type PresenceSettings = SettingsOf<typeof presenceSettings>
