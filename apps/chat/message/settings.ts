import { defineSettings, type SettingsOf } from 'covey'
import { z } from 'zod'

/** Settings of the message service: section `message` of `config.yaml`, `MESSAGE__…` in the environment. */
export const messageSettings = defineSettings('message', {
  /** File of the database, relative to the working directory. */
  database: z.string().min(1).default('data/message.db'),
  flood: {
    /** New messages that one user may send at once. */
    burst: z.number().int().positive().default(40),
    /** New messages of one user per second, lasting. */
    perSecond: z.number().positive().default(10),
  },
  /** How long an answer of the user service that two are friends is trusted, in milliseconds. */
  friendsCacheMs: z.number().int().nonnegative().default(5_000),
  /** Messages this young are pushed again at the start, since a kill may have come before their push. */
  pushAgainMs: z.number().int().nonnegative().default(60_000),
})

export type MessageSettings = SettingsOf<typeof messageSettings>
