import { freePort } from '../../testing/free-port.ts'
import { transportSuite } from '../../testing/transport-suite.ts'
import { httpTransport } from './http-transport.ts'

transportSuite('http', {
  transport: httpTransport,
  freeAddress: async () => `http://127.0.0.1:${await freePort()}`,
})
