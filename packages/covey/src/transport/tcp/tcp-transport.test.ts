import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { freePort } from '../../testing/free-port.ts'
import { transportSuite } from '../../testing/transport-suite.ts'
import { tcpTransport, unixTransport } from './tcp-transport.ts'

transportSuite('tcp', {
  transport: tcpTransport,
  freeAddress: async () => `tcp://127.0.0.1:${await freePort()}`,
})

const folder = await mkdtemp(join(tmpdir(), 'covey-unix-'))
after(() => rm(folder, { recursive: true, force: true }))
let sockets = 0

transportSuite('unix', {
  transport: unixTransport,
  async freeAddress() {
    sockets += 1
    return `unix:${join(folder, `${sockets}.sock`)}`
  },
})
