/**
 * The yardstick of the stream of bytes: a server that writes chunks to a `node:net` socket, obeying its
 * back-pressure, and a client that reads them. The client asks by sending how many bytes it wants.
 */
import { once } from 'node:events'
import { createServer, connect as openSocket, type Socket } from 'node:net'
import { type BenchClient, chunkSizes, createChunk } from '../subject.ts'

export async function startServer(port: number): Promise<void> {
  const server = createServer({ noDelay: true }, (socket) => {
    socket.once('data', (asked) => void send(socket, Number(String(asked))))
    socket.on('error', () => socket.destroy())
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
}

async function send(socket: Socket, total: number): Promise<void> {
  const chunk = createChunk()
  for (const size of chunkSizes(total)) {
    if (!socket.write(chunk.subarray(0, size))) await once(socket, 'drain')
  }
  socket.end()
}

/** A connection carries one stream: it ends with it. */
export async function connect(port: number): Promise<BenchClient> {
  return {
    bytes(total) {
      const socket = openSocket({ port, host: '127.0.0.1', noDelay: true })
      socket.write(String(total))
      return socket
    },
    close: async () => {},
  }
}
