import { createServer, type Socket } from 'node:net'
import { FrameDecoder } from '../codec/frame/frame-decoder.ts'
import { type Frame, frameType } from '../codec/frame/frame-type.ts'
import { tcpUrl } from '../transport/tcp/wire.ts'
import { freePort } from './free-port.ts'

/** What a hostile server does. */
export interface RawServerOptions {
  /** Answers the hello. */
  readonly welcome: Uint8Array
  /** Any other frame of a client. */
  onFrame(frame: Frame, socket: Socket): void
}

/** A server that knows the bytes but obeys nothing. */
export async function startRawServer({
  welcome,
  onFrame,
}: RawServerOptions): Promise<AsyncDisposable & { readonly address: string }> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.once('close', () => sockets.delete(socket))
    const decoder = new FrameDecoder(1 << 30)
    socket.on('data', (bytes: Buffer) => {
      decoder.push(bytes, (frame) => {
        if (frame.type === frameType.hello) socket.write(welcome)
        else onFrame(frame, socket)
      })
    })
  })
  const port = await freePort()
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  return {
    address: tcpUrl('127.0.0.1', port),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
