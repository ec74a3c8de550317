import assert from 'node:assert/strict'
import { createServer as createHttpServer } from 'node:http'
import { createServer as createTcpServer, type Server } from 'node:net'
import { type TestContext, test } from 'node:test'
import { openHttpBench } from '../testing/fixtures/http-bench.ts'
import { freePort } from '../testing/free-port.ts'
import { openRemote, type RemoteOptions } from './remote.ts'

/** What a command says that is given these options and asks what there is. */
async function complaint(options: RemoteOptions): Promise<string> {
  try {
    await using remote = await openRemote({ registry: 'memory:', ...options })
    await remote.describe('users')
    return 'nothing'
  } catch (error) {
    return (error as Error).message
  }
}

async function listen(t: TestContext, server: Server): Promise<string> {
  const port = await freePort()
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  t.after(() => server.close())
  return `127.0.0.1:${port}`
}

test('an address that is none is refused with how one is written', async () => {
  const written = 'use host:port, or a URL with tls://, https://, http:// or unix:'
  for (const target of ['nonsense', '127.0.0.1:99999', ':4100', 'ftp://x:1', 'http://x', 'unix:']) {
    assert.equal(await complaint({ target }), `--target ${target}: ${written}`)
  }
  assert.match(await complaint({ target: 'tls://x:1' }), /^--target tls:\/\/x:1: .*set covey\.tls/)
})

test('where nobody listens, no host or no socket is, that is said once', async () => {
  const port = await freePort()
  const refused = 'nobody listens there (ECONNREFUSED)'
  for (const host of ['127.0.0.1', 'localhost']) {
    assert.equal(await complaint({ target: `${host}:${port}` }), `${host}:${port}: ${refused}`)
  }
  const http = `http://127.0.0.1:${port}`
  assert.equal(await complaint({ target: http }), `${http}: ${refused}`)
  const socket = 'unix:/no/such/socket'
  assert.equal(await complaint({ target: socket }), `${socket}: there is no such socket (ENOENT)`)
})

test('a server that is none of ours, or says nothing, is told as that', async (t) => {
  const web = await listen(
    t,
    createHttpServer((_, response) => response.end('hello')),
  )
  const http = /: what answers is no Covey server: it speaks HTTP; .*http:\/\/$/
  assert.match(await complaint({ target: web }), http)
  const noDoor = 'no calls are taken there: GET /rpc is answered with HTTP 200'
  assert.equal(await complaint({ target: `http://${web}` }), `http://${web}: ${noDoor}`)
  const mute = await listen(
    t,
    createTcpServer((socket) => socket.on('error', () => {})),
  )
  assert.equal(
    await complaint({ target: mute }),
    `${mute} does not say within 5 s what it serves; is it a Covey server?`,
  )
  const rude = await listen(
    t,
    createTcpServer((socket) => socket.on('error', () => {}).end()),
  )
  assert.equal(
    await complaint({ target: rude }),
    `${rude}: the peer closed the connection before it said who it is; a server that wants TLS (tls://) does so`,
  )
})

test('where nothing is registered it is said where it was looked for', async () => {
  const said = await complaint({ registry: 'file:none' })
  assert.match(
    said,
    /^no services are registered in file:none \(seen from .*\): start them, .*--target/,
  )
})

test('a server that does not tell what it serves is named as that', async () => {
  await using bench = await openHttpBench()
  assert.equal(
    await complaint({ target: bench.url }),
    `${bench.url} does not tell what it serves, as gateways do not: ask the service behind it`,
  )
})
