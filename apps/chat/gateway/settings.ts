import { fileURLToPath } from 'node:url'
import { CoveyError, defineSettings, type SettingsOf } from 'covey'
import { z } from 'zod'

/** Settings of the gateway: section `gateway` of `config.yaml`, `GATEWAY__…` in the environment. */
export const gatewaySettings = defineSettings('gateway', {
  /** The address browsers connect to. One that other machines reach needs `tls`, or a `publicUrl` that begins with `https:`. */
  host: z.string().min(1).default('127.0.0.1'),
  port: z.number().int().min(0).max(65_535).default(8090),
  /** Folder of the built page. */
  assets: z
    .string()
    .min(1)
    .default(fileURLToPath(new URL('../web/dist', import.meta.url))),
  /** Paths of PEM files, both or none: the gateway speaks TLS itself then. New files are taken over. */
  tls: {
    cert: z.string().min(1).optional(),
    key: z.string().min(1).optional(),
  },
  /**
   * How browsers reach this gateway when that is not its own address. With `https:` and without `tls` a proxy before it speaks TLS, and
   * nobody can go around that proxy.
   */
  publicUrl: z.url().optional(),
  /** Listens where other machines reach it though passwords travel as they are; for a network of one's own. */
  allowInsecure: z.boolean().default(false),
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

/** Who speaks TLS: the gateway, a proxy before it, or nobody. @throws CoveyError `INVALID_SETTINGS` for half a setting */
export function tlsOf({ tls, publicUrl }: Pick<GatewaySettings, 'tls' | 'publicUrl'>) {
  const { cert, key } = tls
  if (cert !== undefined && key !== undefined) return { cert, key }
  if (cert === undefined && key === undefined) {
    return publicUrl?.startsWith('https:') ? ('proxy' as const) : undefined
  }
  const missing = cert === undefined ? 'cert' : 'key'
  throw new CoveyError('INVALID_SETTINGS', `gateway.tls: ${missing} is missing; both are needed`)
}

export type GatewaySettings = SettingsOf<typeof gatewaySettings>
