import { fileURLToPath } from 'node:url'
import { defineSettings, type SettingsOf } from 'covey'
import { z } from 'zod'

/** Settings of the gateway: section `gateway` of `config.yaml`, `GATEWAY__…` in the environment. */
export const gatewaySettings = defineSettings('gateway', {
  /** The address browsers connect to. */
  host: z.string().min(1).default('127.0.0.1'),
  port: z.number().int().min(0).max(65_535).default(8090),
  /** Folder of the built page. */
  assets: z
    .string()
    .min(1)
    .default(fileURLToPath(new URL('../web/dist', import.meta.url))),
  /** How browsers reach this gateway when that is not its own address, for example through a proxy by https. */
  publicUrl: z.url().optional(),
  /** How long others trust what this gateway said of its connections, in milliseconds. */
  leaseMs: z.number().int().min(1_000).max(60_000).default(10_000),
  /** Time between two checks whether sessions still hold, in milliseconds. */
  sessionCheckMs: z.number().int().min(100).max(60_000).default(3_000),
  /** Tries to log in or to register from one address. All who come through one proxy have one address. */
  tries: {
    burst: z.number().int().positive().default(60),
    perMinute: z.number().positive().default(120),
  },
})

export type GatewaySettings = SettingsOf<typeof gatewaySettings>
