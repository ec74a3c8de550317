import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { test } from 'node:test'
import { resetSocket } from './reset-socket.ts'

/** Both ends of a connection; the listener takes no other one. */
async function twoEnds(): Promise<[Socket, Socket]> {
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const client = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  const [[accepted]] = await Promise.all([once(server, 'connection'), once(client, 'connect')])
  server.close()
  return [client, accepted as Socket]
}

test('the other end of a socket that is reset hears so', { timeout: 10_000 }, async () => {
  const [client, accepted] = await twoEnds()
  client.resume()
  const heard = once(client, 'error')
  resetSocket(accepted)
  const [[error]] = (await Promise.all([heard, once(accepted, 'close')])) as [
    [{ code: string }],
    unknown,
  ]
  assert.equal(error.code, 'ECONNRESET')
})

const endings: Record<string, (socket: Socket) => unknown> = {
  'just been ended': (socket) => socket.end(),
  'just been ended with bytes': (socket) => socket.end('bye'),
  'sent its end': (socket) => once(socket.end(), 'finish'),
}

for (const [what, end] of Object.entries(endings)) {
  test(`a socket that has ${what} closes without a fault`, { timeout: 10_000 }, async () => {
    const [client, accepted] = await twoEnds()
    client.on('error', () => {}).resume()
    await end(accepted)
    const closed = once(accepted, 'close')
    resetSocket(accepted)
    await closed
    client.destroy()
  })
}

test('a socket that is not connected yet is closed', { timeout: 10_000 }, async () => {
  const socket = connect(1, '127.0.0.1')
  socket.on('error', () => {})
  const closed = once(socket, 'close')
  resetSocket(socket)
  await closed
})
