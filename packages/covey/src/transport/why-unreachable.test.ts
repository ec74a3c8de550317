import assert from 'node:assert/strict'
import { connect, createServer, type NetConnectOpts } from 'node:net'
import { test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { freePort } from '../testing/free-port.ts'
import { whyUnreachable } from './why-unreachable.ts'

/** What Node says when it cannot connect. */
function errorOf(options: { host?: string; port?: number; path?: string }): Promise<Error> {
  return new Promise((resolve) => {
    const socket = connect(options as NetConnectOpts)
    socket.once('error', resolve)
  })
}

test('what the system says becomes words, with its code', async () => {
  const port = await freePort()
  const nobody = 'nobody listens there (ECONNREFUSED)'
  assert.equal(whyUnreachable(await errorOf({ host: '127.0.0.1', port })), nobody)
  // A name with two addresses, which Node tells without a message.
  assert.equal(whyUnreachable(await errorOf({ host: 'localhost', port })), nobody)
  const socket = await errorOf({ path: '/no/such/socket' })
  assert.equal(whyUnreachable(socket), 'there is no such socket (ENOENT)')
})

test('what TLS says is told without the names of files of OpenSSL', async (t) => {
  const port = await freePort()
  const server = createServer((socket) => socket.on('error', () => {}).end('no TLS at all\r\n'))
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  t.after(() => server.close())
  const plain = await new Promise<Error>((resolve) => {
    connectTls({ host: '127.0.0.1', port }).once('error', resolve)
  })
  assert.equal(whyUnreachable(plain), 'what answers there does not speak TLS')
  const https = new Error(
    'write EPROTO 40:error:0A00010B:SSL routines::wrong version number:x.c:78',
  )
  assert.equal(whyUnreachable(https), 'what answers there does not speak TLS')
  const alert = Object.assign(new Error('40:error:x.c:1'), {
    code: 'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA',
    reason: 'tlsv1 alert unknown ca',
  })
  assert.equal(
    whyUnreachable(alert),
    'TLS: tlsv1 alert unknown ca (ERR_SSL_TLSV1_ALERT_UNKNOWN_CA)',
  )
})

test('what has no words of ours is told as it is', () => {
  const odd = Object.assign(new Error('EODD: odd'), { code: 'EODD' })
  assert.equal(whyUnreachable(odd), 'EODD: odd')
  const name = Object.assign(new Error('x'), { code: 'constructor' })
  assert.equal(whyUnreachable(name), 'x')
  const parsing = Object.assign(new Error('Parse Error: y'), { code: 'HPE_INVALID_CONSTANT' })
  assert.equal(whyUnreachable(parsing), 'what answers there does not speak HTTP (Parse Error: y)')
})
