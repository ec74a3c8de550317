import type { Clock } from '../base/clock.ts'
import type { Log } from '../observe/log.ts'
import type { TlsCredentials } from '../transport/tls/tls-credentials.ts'
import { openTlsFiles } from '../transport/tls/tls-files.ts'

/** The certificate that a gateway shows, as paths of PEM files. They are followed: new ones are used without a restart. */
export interface GatewayTls {
  /** The certificate, with those between it and the authority behind it. */
  readonly cert: string
  readonly key: string
}

/** The credentials of a gateway that speaks TLS itself, and what ends them. */
export interface OpenedTls {
  readonly credentials: TlsCredentials | undefined
  close(): Promise<void>
}

/** @throws CoveyError `INVALID_SETTINGS` naming the file */
export async function openGatewayTls(
  tls: GatewayTls | TlsCredentials | 'proxy' | undefined,
  options: { readonly clock: Clock; readonly log: Log },
): Promise<OpenedTls> {
  const nothing = async () => {}
  if (tls === undefined || tls === 'proxy') return { credentials: undefined, close: nothing }
  if ('onChange' in tls) return { credentials: tls, close: nothing }
  // Nobody is asked for a certificate, so that no authority counts; the own one stands in.
  const paths = { ...tls, ca: tls.cert }
  const credentials = await openTlsFiles(paths, { ...options, where: 'gateway tls' })
  return { credentials, close: () => credentials.close() }
}
