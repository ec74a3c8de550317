import { defineSettings, type SettingsOf } from 'covey'
import { z } from 'zod'

/** Settings of the user service: section `user` of `config.yaml`, `USER__…` in the environment. */
export const userSettings = defineSettings('user', {
  /** File of the database, relative to the working directory. */
  database: z.string().min(1).default('data/user.db'),
  session: {
    /** Days a session lasts after it was last renewed; using it renews it once a day. */
    ttlDays: z.number().positive().default(30),
    /** Sessions of one user; the oldest beyond this are ended. */
    maxPerUser: z.number().int().positive().default(50),
  },
  login: {
    /** Tries to log in with one username, per minute. */
    triesPerMinute: z.number().int().positive().default(5),
    /** Passwords hashed at one time; each takes 32 MiB and a thread. */
    maxHashing: z.number().int().min(1).max(4).default(2),
  },
  friends: {
    /** Friends of one user. As many can be watched at once. */
    max: z.number().int().min(1).max(1_000).default(1_000),
    /** Requests of one user that wait for an answer. */
    maxOpenRequests: z.number().int().positive().default(100),
  },
})

export type UserSettings = SettingsOf<typeof userSettings>
