import type { Call } from '../call/call.ts'
import { FrameDecoder } from '../codec/frame/frame-decoder.ts'
import { type Frame, frameType } from '../codec/frame/frame-type.ts'
import { FrameWriter } from '../codec/frame/frame-writer.ts'
import { decodeMsgpack } from '../codec/msgpack/decode.ts'
import { encodeMsgpack } from '../codec/msgpack/encode.ts'
import type { BoundMethod } from '../contract/method.ts'
import { defaultLimits, type Limits } from '../transport/limits.ts'
import { writeCallHead } from '../transport/session/call-head.ts'
import { ClientSession } from '../transport/session/client-session.ts'
import type { Welcome } from '../transport/session/hello.ts'
import { ServerSession } from '../transport/session/server-session.ts'
import { FakeClock } from './fake-clock.ts'
import { type MemoryPipe, memoryPipe } from './memory-pipe.ts'

// One end of a connection against a peer that a test plays, byte by byte.

/** One frame, as it travels without a seal. */
export function frameOf(
  type: number,
  id: number,
  write?: Parameters<FrameWriter['frame']>[3],
  flags = 0,
): Uint8Array {
  const writer = new FrameWriter(1 << 30)
  writer.frame(type, flags, id, write)
  return writer.take()
}

/** A frame of the handshake. */
export function jsonFrame(type: number, value: unknown): Uint8Array {
  return frameOf(type, 0, (out) => out.text(JSON.stringify(value)))
}

/** A frame with a value in MessagePack. */
export function valueFrame(type: number, id: number, value: unknown): Uint8Array {
  return frameOf(type, id, (out) => {
    if (value !== undefined) encodeMsgpack(value, out)
  })
}

/** A call (or notify, or submit) of a method by its number, with a minute of time. */
export function callFrame(
  id: number,
  method: number,
  input?: unknown,
  type: number = frameType.call,
): Uint8Array {
  const none = new Map<string, string>()
  const head = { method, timeoutMs: 60_000, trace: undefined, metadata: none, baggage: none }
  return frameOf(type, id, (out) => {
    writeCallHead(head, out)
    if (input !== undefined) encodeMsgpack(input, out)
  })
}

/** What a client of version 2 says first. */
export const helloFrame = jsonFrame(frameType.hello, {
  covey: 1,
  newest: 2,
  codecs: ['msgpack'],
  maxFrameBytes: 1 << 20,
  streamWindowBytes: 1 << 16,
})

/** What a server of version 2 answers that serves `methods`. */
export function welcomeFrame(
  methods: readonly BoundMethod[],
  changes: Partial<Welcome> = {},
): Uint8Array {
  return jsonFrame(frameType.welcome, {
    covey: 2,
    codec: 'msgpack',
    instance: 'i',
    maxFrameBytes: 1 << 20,
    streamWindowBytes: 1 << 16,
    methods: methods.map(({ path }) => path),
    ...changes,
  })
}

/** Lets everything run that is ready to. */
export async function settled(turns = 5): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve))
}

/** The frames that an end has written since the last look. */
export function framesOf(pipe: MemoryPipe): Frame[] {
  pipe.turn()
  const frames: Frame[] = []
  const decoder = new FrameDecoder(1 << 30)
  for (const bytes of pipe.writes.splice(0)) decoder.push(bytes, (frame) => frames.push(frame))
  return frames
}

/**
 * What an end has written since the last look: name of each type, number, and value where there is one (of the handshake, of the
 * connection and of credit the bytes as text; of a call nothing).
 */
export function saidBy(pipe: MemoryPipe): [string, number, unknown?][] {
  const names = Object.entries(frameType)
  return framesOf(pipe).map(({ type, id, bytes, start, end }) => {
    const name = names.find(([, number]) => number === type)?.[0] ?? '?'
    if (start === end || type === frameType.call) return [name, id]
    if (id !== 0 && type !== frameType.credit) return [name, id, decodeMsgpack(bytes, start, end)]
    return [name, id, Buffer.from(bytes.slice(start, end)).toString('latin1')]
  })
}

/** What a client end is made with. */
export interface ClientEndOptions {
  readonly limits?: Partial<Limits>
  readonly clock?: FakeClock
  readonly welcome?: Partial<Welcome>
  readonly lastId?: number
}

/** A client session that has shaken hands; the test plays the server. */
export async function clientEnd(
  methods: readonly BoundMethod[],
  { limits = {}, clock = new FakeClock(), welcome, lastId }: ClientEndOptions = {},
) {
  const pipe = memoryPipe()
  const options = { limits: { ...defaultLimits, ...limits }, clock }
  const session = new ClientSession(pipe, options, lastId)
  const ready = session.handshake()
  pipe.turn()
  pipe.receive(welcomeFrame(methods, welcome))
  await ready
  pipe.writes.length = 0
  return { pipe, session, clock }
}

/** A server session; the test plays the client. It has shaken hands unless `greeted` is false. */
export async function serverEnd(
  methods: readonly BoundMethod[],
  serve: (call: Call) => Promise<unknown>,
  { limits = {}, greeted = true }: { limits?: Partial<Limits>; greeted?: boolean } = {},
) {
  const pipe = memoryPipe()
  const clock = new FakeClock()
  const closed: (string | undefined)[] = []
  const dispatcher = { instance: 'i', methods, serve }
  const options = { limits: { ...defaultLimits, ...limits }, clock }
  const session = new ServerSession(pipe, dispatcher, options, 'c1', {
    onIdle() {},
    onClosed: (reason) => void closed.push(reason?.code),
  })
  if (greeted) {
    pipe.receive(helloFrame)
    await settled()
    pipe.turn()
    pipe.writes.length = 0
  }
  return { pipe, session, closed, clock }
}
