import type { Agent as PlainAgent } from 'node:http'
import { Agent } from 'node:https'
import { secureClientOptions } from '../tls/server-trust.ts'
import type { TlsCredentials } from '../tls/tls-credentials.ts'

type CreateConnection = PlainAgent['createConnection']

/**
 * Connections to a server whose certificate the own authorities have signed. Each is made with the credentials of its moment, so
 * none goes on with a certificate that was replaced.
 */
export class SecureAgent extends Agent {
  readonly #credentials: TlsCredentials

  constructor(credentials: TlsCredentials, options: ConstructorParameters<typeof Agent>[0] = {}) {
    // A session that is taken up again would go on with the certificates of the one before.
    super({ ...options, maxCachedSessions: 0 })
    this.#credentials = credentials
  }

  override createConnection(
    ...[options, done]: Parameters<CreateConnection>
  ): ReturnType<CreateConnection> {
    const secure = secureClientOptions(this.#credentials, 'http/1.1')
    return super.createConnection({ ...options, ...secure }, done)
  }
}
