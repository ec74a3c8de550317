import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../../testing/free-port.ts'
import { transportSuite } from '../../testing/transport-suite.ts'
import { tcpTransport, unixTransport } from './tcp-transport.ts'

transportSuite('tcp', {
  transport: tcpTransport,
  freeAddress: async () => `tcp://127.0.0.1:${await freePort()}`,
})

transportSuite('unix', {
  transport: unixTransport,
  freeAddress: async () => `unix:${join(await mkdtemp(join(tmpdir(), 'covey-')), 's.sock')}`,
})
