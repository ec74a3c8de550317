import assert from 'node:assert/strict'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { test } from 'node:test'
import { systemClock } from '../base/clock.ts'
import { type ChaosProxy, startChaosProxy } from './chaos-proxy.ts'
import { FakeClock } from './fake-clock.ts'
import { freePort } from './free-port.ts'
import type { Toxics } from './toxics.ts'
import { until } from './until.ts'

/** A socket that notes what comes. */
class Ear {
  readonly socket: Socket
  readonly chunks: Buffer[] = []
  ended = false
  closed = false
  error: string | undefined

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (chunk: Buffer) => this.chunks.push(chunk))
    socket.on('end', () => {
      this.ended = true
    })
    socket.on('error', ({ code }: NodeJS.ErrnoException) => {
      this.error = code
    })
    socket.on('close', () => {
      this.closed = true
    })
  }

  get bytes(): Buffer {
    return Buffer.concat(this.chunks)
  }

  get text(): string {
    return this.bytes.toString()
  }
}

interface Line {
  readonly proxy: ChaosProxy
  /** The end that has connected. */
  readonly client: Ear
  /** The end that was connected to. */
  readonly server: Ear
  /** One more connection. */
  connect(): Promise<{ client: Ear; server: Ear }>
}

/** Runs `use` with a server that only listens, a proxy before it and a connection through both. */
async function withLine(
  use: (line: Line) => Promise<void>,
  options: { clock?: FakeClock; seed?: number } = {},
): Promise<void> {
  const sockets: Socket[] = []
  const taken: Ear[] = []
  const server: Server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.push(socket)
    taken.push(new Ear(socket))
  })
  const port = await freePort()
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const proxy = await startChaosProxy(`tcp://127.0.0.1:${port}`, options)
  const open = async () => {
    const count = taken.length
    const socket = connect({
      port: Number(new URL(proxy.address).port),
      host: '127.0.0.1',
      allowHalfOpen: true,
    })
    socket.setNoDelay(true)
    sockets.push(socket)
    const client = new Ear(socket)
    await until(() => taken.length > count, 'the server took the connection')
    return { client, server: taken[count]! }
  }
  try {
    await use({ proxy, connect: open, ...(await open()) })
  } finally {
    for (const socket of sockets) socket.destroy()
    await proxy.close()
    await new Promise((resolve) => server.close(resolve))
  }
}

const alphabet = 'abcdefghijklmnopqrstuvwxyz'

function toxicTest(
  what: string,
  toxics: Partial<Toxics>,
  use: (line: Line) => Promise<void>,
  options: { clock?: FakeClock; seed?: number } = {},
): void {
  test(what, { timeout: 20_000 }, () =>
    withLine((line) => {
      line.proxy.set(toxics)
      return use(line)
    }, options),
  )
}

/** Sends chunks that arrive at the proxy one by one. */
async function sendApart(ear: Ear, chunks: readonly string[]): Promise<void> {
  for (const chunk of chunks) {
    await new Promise((resolve) => ear.socket.write(chunk, resolve))
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

toxicTest('without toxics bytes and ends pass both ways', {}, async ({ client, server, proxy }) => {
  client.socket.write('question')
  server.socket.write('answer')
  await until(() => server.text === 'question' && client.text === 'answer', 'both have it')
  client.socket.end()
  await until(() => server.ended, 'the end passed')
  server.socket.end('last words')
  await until(() => client.ended, 'the other end passed')
  assert.equal(client.text, 'answerlast words')
  await until(() => proxy.connections === 0, 'the proxy let go')
})

const slow = new FakeClock()
toxicTest(
  'latency holds every byte back, in order',
  { latencyMs: 50, jitterMs: 20 },
  async ({ client, server }) => {
    await sendApart(client, ['a', 'b', 'c', 'd', 'e'])
    await until(() => slow.waiting > 0, 'the proxy has them')
    await slow.advance(29)
    assert.equal(server.text, '')
    await slow.advance(42)
    await until(() => server.text === 'abcde', 'all came')
  },
  { clock: slow },
)

const throttled = new FakeClock()
toxicTest(
  'bandwidth is what was said',
  { bytesPerSecond: 1_000, sliceBytes: 10 },
  async ({ client, server }) => {
    client.socket.write('x'.repeat(1_000))
    await until(() => throttled.waiting > 0, 'the proxy has them')
    for (let ms = 0; ms < 500; ms++) await throttled.advance(1)
    const half = server.bytes.length
    assert.ok(half > 400 && half <= 520, `${half} bytes in half a second`)
    for (let ms = 0; ms < 600; ms++) await throttled.advance(1)
    await until(() => server.bytes.length === 1_000, 'all came')
  },
  { clock: throttled },
)

toxicTest('a slicer hands on single bytes', { sliceBytes: 1 }, async ({ client, server }) => {
  client.socket.write(alphabet)
  await until(() => server.text === alphabet, 'all came')
  // Two may meet in the receiver's kernel.
  assert.ok(server.chunks.length > 13, `${server.chunks.length} pieces`)
})

for (const bytes of [0, 1, 13, 25, 26]) {
  toxicTest(
    `a cut after ${bytes} bytes lets exactly these through, then resets both`,
    { cutAfterBytes: bytes },
    async ({ client, server }) => {
      client.socket.write(alphabet)
      await until(() => server.closed && client.closed, 'both are gone')
      assert.equal(server.text, alphabet.slice(0, bytes))
      assert.equal(server.error, 'ECONNRESET')
      assert.equal(client.error, 'ECONNRESET')
    },
  )

  toxicTest(
    `limited to ${bytes} bytes it ends both without an error`,
    { endAfterBytes: bytes },
    async ({ client, server }) => {
      client.socket.write(alphabet)
      await until(() => server.ended && client.ended, 'both heard the end')
      assert.equal(server.text, alphabet.slice(0, bytes))
      assert.equal(server.error, undefined)
    },
  )
}

toxicTest('random cuts come in the end', { cutChance: 0.2 }, async ({ client, server }) => {
  while (!client.closed) await sendApart(client, ['x'])
  await until(() => server.closed, 'both are gone')
  assert.equal(server.error, 'ECONNRESET')
})

toxicTest(
  'what is swallowed never comes, not even an end; later connections live',
  { swallow: true },
  async ({ client, server, proxy, connect: another }) => {
    client.socket.write('lost')
    server.socket.write('lost')
    await sendApart(client, ['lost'])
    client.socket.destroy()
    proxy.clear()
    const next = await another()
    next.client.socket.write('alive')
    await until(() => next.server.text === 'alive', 'the next one lives')
    assert.equal(server.text, '')
    assert.equal(server.closed || server.ended, false)
    assert.equal(proxy.connections, 2)
  },
)

toxicTest('one direction may be swallowed alone', {}, async ({ client, server, proxy }) => {
  proxy.set({ swallow: true }, 'down')
  client.socket.write('heard')
  server.socket.write('not heard')
  await until(() => server.text === 'heard', 'the way up is open')
  await sendApart(server, ['not heard either'])
  assert.equal(client.text, '')
})

toxicTest(
  'what is held comes later, ends too',
  { hold: true },
  async ({ client, server, proxy }) => {
    await sendApart(client, ['a', 'b'])
    client.socket.end()
    await new Promise((resolve) => setTimeout(resolve, 20))
    assert.equal(server.text, '')
    assert.equal(server.ended, false)
    proxy.clear()
    await until(() => server.text === 'ab' && server.ended, 'all came')
  },
)

toxicTest('chunks change places', { reorderChance: 1 }, async ({ client, server }) => {
  await sendApart(client, ['1', '2', '3', '4', '5'])
  await until(() => server.bytes.length === 5, 'all came, the last one by itself')
  assert.notEqual(server.text, '12345')
  assert.deepEqual([...server.text].sort(), [...'12345'])
})

toxicTest('chunks come twice', { duplicateChance: 1 }, async ({ client, server }) => {
  await sendApart(client, ['ab', 'cd'])
  await until(() => server.bytes.length === 8, 'all came')
  assert.equal(server.text, 'ababcdcd')
})

toxicTest('one byte of a chunk is another', { corruptChance: 1 }, async ({ client, server }) => {
  client.socket.write(alphabet)
  await until(() => server.bytes.length === 26, 'all came')
  const wrong = [...server.bytes].filter((byte, index) => byte !== alphabet.charCodeAt(index))
  assert.equal(wrong.length, 1)
})

const closing = new FakeClock()
toxicTest(
  'an end may be slow',
  { slowCloseMs: 500 },
  async ({ client, server }) => {
    client.socket.end('bye')
    await until(() => server.text === 'bye' && closing.waiting > 0, 'the bytes came')
    await closing.advance(499)
    assert.equal(server.ended, false)
    await closing.advance(1)
    await until(() => server.ended, 'the end came')
  },
  { clock: closing },
)

toxicTest('a reset of one side is told to the other', {}, async ({ client, server }) => {
  client.socket.resetAndDestroy()
  await until(() => server.closed, 'the server heard it')
  assert.equal(server.error, 'ECONNRESET')
})

toxicTest('cut, refuse and retarget', {}, async ({ client, server, proxy, connect: another }) => {
  proxy.cut()
  await until(() => server.closed && client.closed, 'both are gone')
  assert.equal(proxy.connections, 0)
  proxy.refuse(true)
  const refused = new Ear(connect(Number(new URL(proxy.address).port), '127.0.0.1'))
  await until(() => refused.closed, 'it was refused')
  proxy.refuse(false)
  const next = await another()
  proxy.retarget(`tcp://127.0.0.1:${await freePort()}`)
  const lost = new Ear(connect(Number(new URL(proxy.address).port), '127.0.0.1'))
  await until(() => lost.closed, 'nobody is there')
  next.client.socket.write('still')
  await until(() => next.server.text === 'still', 'the one before goes on')
})

test('a source that is quicker than its sink is held back', { timeout: 20_000 }, () =>
  withLine(async ({ client, server, proxy }) => {
    proxy.set({ bytesPerSecond: 1 }, 'up')
    const chunk = Buffer.alloc(1024 * 1024)
    for (let count = 0; count < 64; count++) client.socket.write(chunk)
    let before = -1
    await until(() => {
      const still = client.socket.bytesWritten - client.socket.writableLength === before
      before = client.socket.bytesWritten - client.socket.writableLength
      return still
    }, 'nothing more leaves')
    assert.ok(client.socket.writableLength > 32 * 1024 * 1024)
    assert.ok(server.bytes.length <= 64 * 1024 * 1024)
  }),
)

test('the same seed does the same', { timeout: 20_000 }, async () => {
  const texts: string[] = []
  for (const seed of [7, 7, 8]) {
    await withLine(
      async ({ client, server, proxy }) => {
        proxy.set({ duplicateChance: 0.5 })
        for (const letter of alphabet) {
          const had = server.bytes.length
          client.socket.write(letter)
          await until(() => server.bytes.length > had, 'it came')
        }
        texts.push(server.text)
      },
      { seed },
    )
  }
  assert.equal(texts[0], texts[1])
  assert.notEqual(texts[0], texts[2])
})

test('nothing is left open behind a proxy that was closed', { timeout: 20_000 }, async () => {
  const before = process.getActiveResourcesInfo().sort().join()
  await withLine(async ({ proxy, client }) => {
    proxy.set({ latencyMs: 10_000, reorderChance: 0.5, sliceBytes: 3 })
    client.socket.write(alphabet)
    await new Promise((resolve) => systemClock.after(5, () => resolve(undefined)))
  })
  const now = () => process.getActiveResourcesInfo().sort().join()
  await until(() => now() === before, `only ${before} is open, not ${now()}`)
})
