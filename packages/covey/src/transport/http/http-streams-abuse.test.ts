import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { systemClock } from '../../base/clock.ts'
import { Call } from '../../call/call.ts'
import { frameType } from '../../codec/frame/frame-type.ts'
import { encodeMsgpack } from '../../codec/msgpack/encode.ts'
import { CoveyError } from '../../error/covey-error.ts'
import { openHttpBench, raw, shop } from '../../testing/fixtures/http-bench.ts'
import { bodyFrame, startHttpImpostor } from '../../testing/fixtures/http-impostor.ts'
import { until } from '../../testing/until.ts'
import { defaultLimits, type Limits } from '../limits.ts'
import { connectHttp } from './client.ts'
import { mediaType } from './wire.ts'

// Streams have no deadline of their own, so each of their ends is held to limits.

const limited = { timeout: 30_000 }

function connectTo(url: string, limits: Partial<Limits>) {
  return connectHttp(url, { clock: systemClock, limits: { ...defaultLimits, ...limits } })
}

/** The head of a call, with a body in chunks that goes on for as long as the caller likes. */
function headOf(method: string, lines: readonly string[]): string {
  const first = [`POST /rpc/shop/${method} HTTP/1.1`, 'host: a', 'transfer-encoding: chunked']
  return [...first, ...lines, '', ''].join('\r\n')
}

function chunk(bytes: Uint8Array): string {
  return `${bytes.length.toString(16)}\r\n${Buffer.from(bytes).toString('latin1')}\r\n`
}

const json = 'content-type: application/json'
const frames = `content-type: ${mediaType.frames}`
const noInput = chunk(bodyFrame(frameType.item, 1))

/** Requests of an endless stream, in each of its forms. */
const endless = {
  'server-sent events': `${headOf('endless', [json, `accept: ${mediaType.events}`])}0\r\n\r\n`,
  lines: `${headOf('endless', [json])}0\r\n\r\n`,
  frames: headOf('endless', [frames, 'covey-stream-window: 1000000000000']) + noInput,
}

function send(port: number, request: string): Socket {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {}).pause()
  socket.write(request, 'latin1')
  return socket
}

for (const [form, request] of Object.entries(endless)) {
  test(
    `a reader of ${form} that takes nothing is cut off, and its handler told`,
    limited,
    async () => {
      await using bench = await openHttpBench({ limits: { slowReaderMs: 300 } })
      const socket = send(bench.port, request)
      await until(() => bench.seen.made > 0, 'the handler runs')
      await until(() => bench.seen.aborted === 1, 'the handler is told', 15_000)
      await until(() => bench.listener.connections === 0, 'it is cut off')
      socket.destroy()
    },
  )
}

test('a reader that is slow, but goes on, gets its stream', limited, async () => {
  await using bench = await openHttpBench({ limits: { slowReaderMs: 1_500 } })
  const socket = send(bench.port, endless.lines)
  let taken = 0
  const timer = setInterval(() => {
    taken += (socket.read() as Buffer | null)?.length ?? 0
  }, 20)
  // More than all buffers hold, so that the server has waited for this reader.
  await until(() => taken > 12_000_000, 'it has got much', 20_000)
  clearInterval(timer)
  assert.equal(bench.seen.aborted, 0)
  socket.destroy()
})

test('half a frame of an upload has a limit, from its last whole one', limited, async () => {
  await using bench = await openHttpBench({ limits: { partialFrameMs: 150 } })
  const item = bodyFrame(frameType.item, 1, (out) => encodeMsgpack(1, out))
  const request = headOf('sip', [frames]) + chunk(item) + chunk(item.subarray(0, 7))
  const answer = await raw(bench.port, request, (text) => text.includes('not complete'))
  assert.match(
    answer,
    /^HTTP\/1\.1 200 .*DEADLINE_EXCEEDED.*a frame was not complete within 150 ms/s,
  )
  await until(() => bench.listener.connections === 0, 'the connection is closed')
})

test('between whole frames an upload may be quiet for as long as it likes', limited, async () => {
  await using bench = await openHttpBench({ limits: { partialFrameMs: 30 } })
  const socket = send(bench.port, headOf('sip', [frames]) + noInput)
  await until(() => bench.seen.hanging === 1, 'the handler has one')
  await new Promise((resolve) => setTimeout(resolve, 200))
  assert.equal(bench.listener.connections, 1)
  socket.destroy()
  await until(() => bench.listener.connections === 0, 'it is gone')
})

test(
  'a caller is told of a server that takes no uploads, and of half an answer',
  limited,
  async () => {
    await using server = await startHttpImpostor(
      (request, response) => {
        response.writeHead(200, { 'content-type': mediaType.frames })
        if (request.url?.endsWith('endless'))
          response.write(bodyFrame(frameType.item, 1).subarray(0, 5))
        else request.pause()
        response.flushHeaders()
      },
      { streamWindowBytes: 2 ** 40 },
    )
    const limits = { slowReaderMs: 200, partialFrameMs: 200 }
    await using connection = await connectTo(server.url, limits)
    async function* much() {
      for (;;) yield 'x'.repeat(100_000)
    }
    const wishes = { deadlineMs: Number.POSITIVE_INFINITY }
    const upload = connection.invoke(new Call(shop.methods.sip, much(), wishes))
    await assert.rejects(upload, /CONNECTION_LOST|took nothing for 200 ms/)
    const items = await connection.invoke(new Call(shop.methods.endless, undefined, wishes))
    const reading = (items as AsyncIterable<unknown>)[Symbol.asyncIterator]().next()
    const error = await reading.then(() => undefined, CoveyError.from)
    assert.equal(error?.code, 'CONNECTION_LOST')
    assert.match(error.message, /half a frame for 200 ms/)
    assert.equal(connection.pending, 0)
  },
)
