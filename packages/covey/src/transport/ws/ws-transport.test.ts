import { freePort } from '../../testing/free-port.ts'
import { transportSuite } from '../../testing/transport-suite.ts'
import { wsTransport } from './ws-transport.ts'

transportSuite('ws', {
  transport: wsTransport,
  freeAddress: async () => `ws://127.0.0.1:${await freePort()}/rpc`,
})
