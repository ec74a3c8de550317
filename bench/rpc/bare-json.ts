/**
 * The yardstick: an echo over `node:net` with nothing but what it takes to have many calls in
 * flight on one connection. A frame is a u32 length of the body, a u32 call id and the body as
 * JSON. Frames of one tick leave in one write. No validation, no deadline, no back-pressure, no
 * errors: what a framework adds is measured against this.
 */
import { once } from 'node:events'
import { createServer, connect as openSocket, type Socket } from 'node:net'
import type { Payload } from './payload.ts'
import type { EchoClient } from './subject.ts'

const headerBytes = 8
/** Most bytes that UTF-8 needs for one UTF-16 code unit of a string. */
const maxBytesPerUnit = 3
const firstBufferBytes = 64 * 1024

export async function startServer(port: number): Promise<void> {
  const server = createServer({ noDelay: true }, (socket) => {
    const send = createSender(socket)
    socket.on('data', createReader(send))
    socket.on('error', () => socket.destroy())
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
}

export async function connect(port: number): Promise<EchoClient> {
  const socket = openSocket({ port, host: '127.0.0.1', noDelay: true })
  await once(socket, 'connect')
  const send = createSender(socket)
  const calls = new Map<number, PromiseWithResolvers<Payload>>()
  let lastId = 0
  const onFrame = (id: number, body: unknown) => {
    calls.get(id)?.resolve(body as Payload)
    calls.delete(id)
  }
  socket.on('data', createReader(onFrame))
  socket.on('close', () => {
    for (const call of calls.values()) call.reject(new Error('connection closed'))
    calls.clear()
  })
  return {
    echo(payload) {
      lastId = (lastId + 1) >>> 0
      const call = Promise.withResolvers<Payload>()
      calls.set(lastId, call)
      send(lastId, payload)
      return call.promise
    },
    async close() {
      socket.end()
      await once(socket, 'close')
    },
  }
}

/**
 * Collects the frames of a tick in one buffer, grown as needed, and writes them at the end of the
 * tick.
 */
export function createSender(socket: Pick<Socket, 'write'>): (id: number, body: unknown) => void {
  let buffer = Buffer.allocUnsafeSlow(firstBufferBytes)
  let used = 0
  const flush = () => {
    // A copy, since the socket may hold on to what it was given while the buffer is filled anew.
    socket.write(Buffer.from(buffer.subarray(0, used)))
    used = 0
  }
  return (id, body) => {
    const text = JSON.stringify(body)
    const needed = used + headerBytes + text.length * maxBytesPerUnit
    if (needed > buffer.length) {
      const grown = Buffer.allocUnsafeSlow(needed * 2)
      buffer.copy(grown, 0, 0, used)
      buffer = grown
    }
    if (used === 0) process.nextTick(flush)
    const bytes = buffer.write(text, used + headerBytes, 'utf8')
    buffer.writeUInt32LE(bytes, used)
    buffer.writeUInt32LE(id, used + 4)
    used += headerBytes + bytes
  }
}

/** Cuts chunks into frames and parses each body; a partial frame waits for the next chunk. */
export function createReader(
  onFrame: (id: number, body: unknown) => void,
): (chunk: Buffer) => void {
  let rest: Buffer | undefined
  return (chunk) => {
    const bytes = rest ? Buffer.concat([rest, chunk]) : chunk
    let start = 0
    while (bytes.length - start >= headerBytes) {
      const end = start + headerBytes + bytes.readUInt32LE(start)
      if (end > bytes.length) break
      const text = bytes.toString('utf8', start + headerBytes, end)
      onFrame(bytes.readUInt32LE(start + 4), JSON.parse(text))
      start = end
    }
    rest = start < bytes.length ? bytes.subarray(start) : undefined
  }
}
