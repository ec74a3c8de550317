import assert from 'node:assert/strict'
import { connect, type NetConnectOpts } from 'node:net'
import { test } from 'node:test'
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

test('what has no words of ours is told as it is', () => {
  const odd = Object.assign(new Error('EODD: odd'), { code: 'EODD' })
  assert.equal(whyUnreachable(odd), 'EODD: odd')
  const name = Object.assign(new Error('x'), { code: 'constructor' })
  assert.equal(whyUnreachable(name), 'x')
  const parsing = Object.assign(new Error('Parse Error: y'), { code: 'HPE_INVALID_CONSTANT' })
  assert.equal(whyUnreachable(parsing), 'what answers there does not speak HTTP (Parse Error: y)')
})
