import { freePort } from '../../testing/free-port.ts'
import { createTestAuthority } from '../../testing/test-authority.ts'
import { transportSuite } from '../../testing/transport-suite.ts'
import { fixedCredentials } from './tls-credentials.ts'
import { createTlsTransport } from './tls-transport.ts'

const authority = createTestAuthority()
const own = authority.issue({ ips: ['127.0.0.1'] })

transportSuite('tls', {
  transport: createTlsTransport(fixedCredentials({ ...own, ca: authority.ca })),
  freeAddress: async () => `tls://127.0.0.1:${await freePort()}`,
})
