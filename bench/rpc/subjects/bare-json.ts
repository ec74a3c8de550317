/**
 * The yardstick: an echo over `node:net` with nothing but what it takes to have many calls in
 * flight on one connection. A frame is a u32 length of the body, a u32 call id and the body as
 * JSON. Frames of one tick leave in one write. No validation, no deadline, no errors, and
 * back-pressure for streams alone: what a framework adds is measured against this.
 */
import { once } from 'node:events'
import { createServer, connect as openSocket, type Socket } from 'node:net'
import { createPayload, type Payload } from '../payload.ts'
import { spread } from '../spread.ts'
import type { BenchClient } from '../subject.ts'

const headerBytes = 8
/** Most bytes that UTF-8 needs for one UTF-16 code unit of a string. */
const maxBytesPerUnit = 3
const firstBufferBytes = 64 * 1024
const messagesPerWait = 64

type OnFrame = (id: number, body: unknown) => void

export function startServer(port: number): Promise<void> {
  return listen(port, Number.POSITIVE_INFINITY)
}

export function connect(port: number, connections: number): Promise<BenchClient> {
  return spread(connections, () => open(port, Number.POSITIVE_INFINITY))
}

/** @param fullWriteBytes size at which a write leaves before the tick ends */
export async function listen(port: number, fullWriteBytes: number): Promise<void> {
  const server = createServer({ noDelay: true }, (socket) => {
    const send = createSender(socket, fullWriteBytes)
    const room = createRoom(socket)
    const onFrame: OnFrame = (id, body) => {
      if (isCount(body)) void countTo(body.count, (message) => send(id, message), room)
      else send(id, body)
    }
    socket.on('data', createReader(onFrame))
    socket.on('error', () => socket.destroy())
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
}

/** @param fullWriteBytes size at which a write leaves before the tick ends */
export async function open(port: number, fullWriteBytes: number): Promise<BenchClient> {
  const socket = openSocket({ port, host: '127.0.0.1', noDelay: true })
  await once(socket, 'connect')
  const send = createSender(socket, fullWriteBytes)
  const calls = new Map<number, PromiseWithResolvers<unknown>>()
  const streams = new Map<number, Inbox>()
  let lastId = 0
  const onFrame: OnFrame = (id, body) => {
    const call = calls.get(id)
    if (!call) return streams.get(id)?.put(body as Payload | null)
    call.resolve(body)
    calls.delete(id)
  }
  socket.on('data', createReader(onFrame))
  socket.on('close', () => {
    for (const call of calls.values()) call.reject(new Error('connection closed'))
    calls.clear()
  })
  const echo = <T>(body: T): Promise<T> => {
    lastId = (lastId + 1) >>> 0
    const call = Promise.withResolvers<unknown>()
    calls.set(lastId, call)
    send(lastId, body)
    return call.promise as Promise<T>
  }
  return {
    echo,
    echoList: echo,
    async *count(count) {
      lastId = (lastId + 1) >>> 0
      const inbox = createInbox()
      streams.set(lastId, inbox)
      send(lastId, { count })
      yield* inbox
    },
    async close() {
      socket.end()
      await once(socket, 'close')
    },
  }
}

function isCount(body: unknown): body is { count: number } {
  return typeof body === 'object' && body !== null && 'count' in body
}

/** Waits for room now and then, so that the frames before it share a write. `null` ends the stream. */
async function countTo(
  count: number,
  send: (message: Payload | null) => void,
  room: () => Promise<void>,
): Promise<void> {
  for (let id = 0; id < count; id++) {
    send(createPayload(id))
    if (id % messagesPerWait === 0) await room()
  }
  send(null)
}

/** A function that waits while the socket holds more than its high-water mark, for many streams at once. */
function createRoom(socket: Socket): () => Promise<void> {
  let waiting: (() => void)[] = []
  socket.on('drain', () => {
    const resumed = waiting
    waiting = []
    for (const resume of resumed) resume()
  })
  return async () => {
    while (socket.writableNeedDrain) await new Promise<void>((resolve) => waiting.push(resolve))
  }
}

interface Inbox extends AsyncIterable<Payload> {
  put(message: Payload | null): void
}

/** What came and was not read yet; it is not bounded, as its reader is faster than the socket. */
function createInbox(): Inbox {
  let messages: (Payload | null)[] = []
  let wake = () => {}
  return {
    put(message) {
      messages.push(message)
      wake()
    },
    async *[Symbol.asyncIterator]() {
      for (;;) {
        const some = messages
        messages = []
        for (const message of some) {
          if (message === null) return
          yield message
        }
        if (messages.length === 0) {
          await new Promise<void>((resolve) => {
            wake = resolve
          })
        }
      }
    },
  }
}

/**
 * Collects the frames of a tick in one buffer, grown as needed, and writes them at the end of the
 * tick, or as soon as there are `fullWriteBytes`.
 */
export function createSender(
  socket: Pick<Socket, 'write'>,
  fullWriteBytes = Number.POSITIVE_INFINITY,
): OnFrame {
  let buffer = Buffer.allocUnsafeSlow(firstBufferBytes)
  let used = 0
  let scheduled = false
  const flush = () => {
    if (used === 0) return
    // A copy, since the socket may hold on to what it was given while the buffer is filled anew.
    socket.write(Buffer.from(buffer.subarray(0, used)))
    used = 0
  }
  const flushAtEnd = () => {
    scheduled = false
    flush()
  }
  return (id, body) => {
    const text = JSON.stringify(body)
    const needed = used + headerBytes + text.length * maxBytesPerUnit
    if (needed > buffer.length) {
      const grown = Buffer.allocUnsafeSlow(needed * 2)
      buffer.copy(grown, 0, 0, used)
      buffer = grown
    }
    const bytes = buffer.write(text, used + headerBytes, 'utf8')
    buffer.writeUInt32LE(bytes, used)
    buffer.writeUInt32LE(id, used + 4)
    used += headerBytes + bytes
    if (used >= fullWriteBytes) flush()
    else if (!scheduled) {
      scheduled = true
      process.nextTick(flushAtEnd)
    }
  }
}

/** Cuts chunks into frames and parses each body; a partial frame waits for the next chunk. */
export function createReader(onFrame: OnFrame): (chunk: Buffer) => void {
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
