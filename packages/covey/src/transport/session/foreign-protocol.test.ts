import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import { systemClock } from '../../base/clock.ts'
import { CoveyError } from '../../error/covey-error.ts'
import { freePort } from '../../testing/free-port.ts'
import { defaultLimits } from '../limits.ts'
import { tcpTransport } from '../tcp/tcp-transport.ts'
import { foreignProtocol } from './foreign-protocol.ts'

const tooLarge = (start: string, code = 'MESSAGE_TOO_LARGE') =>
  new CoveyError(code, 'too large', {
    details: { bytes: Buffer.from(start, 'latin1').readUInt32BE() },
  })

test('the first bytes of other protocols are told apart', () => {
  assert.match(foreignProtocol(tooLarge('HTTP'))!.message, /it speaks HTTP; .*http:\/\//)
  for (const start of ['\x15\x03\x01\0', '\x16\x03\x03\x02']) {
    assert.match(foreignProtocol(tooLarge(start))!.message, /it speaks TLS; .*tls:\/\//)
  }
  assert.match(foreignProtocol(tooLarge('SSH-'))!.message, /it begins with "SSH-"$/)
  assert.match(foreignProtocol(tooLarge('\r\nHi'))!.message, /it begins with "\\r\\nHi"$/)
  assert.equal(foreignProtocol(tooLarge('SSH-'))!.code, 'PROTOCOL_ERROR')
})

test('other errors stay what they are', () => {
  assert.equal(foreignProtocol(tooLarge('\xff\xff\xff\xff')), undefined)
  assert.equal(foreignProtocol(tooLarge('HTTP', 'INTERNAL')), undefined)
  assert.equal(foreignProtocol(new CoveyError('MESSAGE_TOO_LARGE', 'x')), undefined)
})

async function listen(t: TestContext, server: Server | ReturnType<typeof createTcpServer>) {
  const port = await freePort()
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  t.after(() => server.close())
  return `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`
}

test('who connects to another kind of server is told so', async (t) => {
  const http = await listen(t, createServer())
  const ssh = createTcpServer((socket) => socket.on('error', () => {}).end('SSH-2.0-x\r\n'))
  const address = await listen(t, ssh)
  const options = { limits: defaultLimits, clock: systemClock }
  await assert.rejects(tcpTransport.connect(http, options), {
    code: 'PROTOCOL_ERROR',
    message: /no Covey server: it speaks HTTP/,
  })
  await assert.rejects(tcpTransport.connect(address, options), {
    code: 'PROTOCOL_ERROR',
    message: /no Covey server: it begins with "SSH-"/,
  })
})
