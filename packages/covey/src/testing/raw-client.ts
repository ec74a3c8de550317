import { connect, type Socket } from 'node:net'
import { FrameDecoder } from '../codec/frame/frame-decoder.ts'
import { frameType } from '../codec/frame/frame-type.ts'
import { FrameWriter } from '../codec/frame/frame-writer.ts'
import { encodeMsgpack } from '../codec/msgpack/encode.ts'
import { writeCallHead } from '../transport/session/call-head.ts'
import { parseSocketUrl } from '../transport/tcp/wire.ts'

/** A bare connection to `tcp://…` or `unix:…`. */
export async function rawSocket(address: string): Promise<Socket> {
  const target = parseSocketUrl(address)
  const socket =
    target.protocol === 'unix' ? connect(target.path) : connect(target.port, target.host)
  await new Promise((resolve) => socket.once('connect', resolve))
  return socket
}

/** A client that knows the bytes but obeys nothing. It has shaken hands, as version `covey` of the protocol. */
export async function rawClient(
  address: string,
  covey = 1,
): Promise<{ socket: Socket; writer: FrameWriter }> {
  const socket = await rawSocket(address)
  const writer = new FrameWriter(1 << 30)
  const hello = {
    covey,
    codecs: ['msgpack'],
    maxFrameBytes: 1 << 24,
    streamWindowBytes: 1 << 20,
  }
  writer.frame(frameType.hello, 0, 0, (out) => out.text(JSON.stringify(hello)))
  socket.write(writer.take())
  await new Promise((resolve) => socket.once('data', resolve))
  return { socket, writer }
}

/** Writes a call of a method by its number, with a minute of time. */
export function writeRawCall(
  writer: FrameWriter,
  id: number,
  method: number,
  input: unknown,
  timeoutMs = 60_000,
): void {
  const none = new Map<string, string>()
  const head = { method, timeoutMs, trace: undefined, metadata: none, baggage: none }
  writer.frame(frameType.call, 0, id, (out) => {
    writeCallHead(head, out)
    encodeMsgpack(input, out)
  })
}

/** The code of the error frame that ends a connection; `none` if it ends without. */
export async function farewell(socket: Socket): Promise<string> {
  let code = 'none'
  const decoder = new FrameDecoder(1 << 24)
  socket.on('data', (bytes: Buffer) => {
    decoder.push(bytes, ({ type, id, bytes: all, start, end }) => {
      if (type !== frameType.error || id !== 0) return
      code = (JSON.parse(new TextDecoder().decode(all.subarray(start, end))) as { code: string })
        .code
    })
  })
  socket.on('error', () => {})
  await new Promise((resolve) => socket.once('close', resolve))
  return code
}
