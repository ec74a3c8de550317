import { freePort } from '../../testing/free-port.ts'
import { createTestAuthority } from '../../testing/test-authority.ts'
import { transportSuite } from '../../testing/transport-suite.ts'
import { fixedCredentials } from '../tls/tls-credentials.ts'
import { createHttpsTransport } from './http-transport.ts'

const authority = createTestAuthority()
const own = fixedCredentials({ ...authority.issue({ ips: ['127.0.0.1'] }), ca: authority.ca })

transportSuite('https', {
  transport: createHttpsTransport(async () => own),
  freeAddress: async () => `https://127.0.0.1:${await freePort()}`,
})
