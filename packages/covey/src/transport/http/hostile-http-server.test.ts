import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { systemClock } from '../../base/clock.ts'
import { Call } from '../../call/call.ts'
import { frameType } from '../../codec/frame/frame-type.ts'
import { encodeMsgpack } from '../../codec/msgpack/encode.ts'
import { CoveyError } from '../../error/covey-error.ts'
import { shop } from '../../testing/fixtures/http-bench.ts'
import { bodyFrame, startHttpImpostor } from '../../testing/fixtures/http-impostor.ts'
import { until } from '../../testing/until.ts'
import { defaultLimits, type Limits } from '../limits.ts'
import { connectHttp } from './client.ts'
import { mediaType } from './wire.ts'

// What a client does with servers that break the protocol: its callers get an error, and its memory stays its own.

const limited = { timeout: 30_000 }
const mostBytes = 64 * 1024 * 1024

function connectTo(url: string, limits: Partial<Limits> = {}) {
  return connectHttp(url, { clock: systemClock, limits: { ...defaultLimits, ...limits } })
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'OK',
    (error: unknown) => CoveyError.from(error).code,
  )
}

/** Writes for as long as the client takes it. */
function pour(response: ServerResponse, bytes: Uint8Array): void {
  const more = () => {
    while (!response.destroyed && response.write(bytes));
  }
  response.on('drain', more)
  more()
}

/** What a reader of a stream is told that is answered like this. */
async function readFrom(
  answer: (response: ServerResponse) => void,
  welcome: Record<string, unknown> = {},
  limits: Partial<Limits> = {},
): Promise<string> {
  await using server = await startHttpImpostor((request, response) => {
    request.resume()
    response.writeHead(200, { 'content-type': mediaType.frames })
    answer(response)
  }, welcome)
  await using connection = await connectTo(server.url, limits)
  const call = new Call(shop.methods.endless, undefined, { deadlineMs: Number.POSITIVE_INFINITY })
  return await codeOf(
    (async () => {
      const items = (await connection.invoke(call)) as AsyncIterable<unknown>
      for await (const _ of items);
    })(),
  )
}

/** A door that ends its link within the first frame. */
async function startHalfWelcome() {
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': mediaType.frames })
    response.end(Buffer.from([0, 0]))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** The head of a frame of this many bytes. */
function headOf(bytes: number): Uint8Array {
  const head = Buffer.alloc(10)
  head.writeUInt32BE(bytes)
  head[4] = frameType.item
  head[9] = 1
  return head
}

test('a server that takes giant frames may not send any', limited, async () => {
  const before = process.memoryUsage.rss()
  const giant = { maxFrameBytes: Number.MAX_SAFE_INTEGER, streamWindowBytes: 2 ** 40 }
  const code = await readFrom((response) => {
    response.write(headOf(0xffff_ffff))
    pour(response, Buffer.alloc(1024 * 1024))
  }, giant)
  assert.equal(code, 'MESSAGE_TOO_LARGE')
  const grown = process.memoryUsage.rss() - before
  assert.ok(grown < mostBytes, `${grown} bytes`)
})

test(
  'a frame of the largest size that may be sent is taken, one more byte is not',
  limited,
  async () => {
    const text = (bytes: number) =>
      bodyFrame(frameType.item, 1, (out) => encodeMsgpack('x'.repeat(bytes), out))
    // The length of a frame does not count itself; text of this size has 3 bytes before it.
    const limits = { maxFrameBytes: 20_000, streamWindowBytes: 1_024 }
    const one = (bytes: number) => (response: ServerResponse) => {
      response.write(text(bytes))
      response.end(bodyFrame(frameType.end, 1))
    }
    assert.equal(await readFrom(one(20_000 - 6 - 3), {}, limits), 'OK')
    assert.equal(await readFrom(one(20_000 - 6 - 2), {}, limits), 'MESSAGE_TOO_LARGE')
  },
)

test(
  'a window of a kilobyte and a largest frame behind it are what was granted',
  limited,
  async () => {
    const limits = { maxFrameBytes: 20_000, streamWindowBytes: 1_024 }
    const text = (bytes: number) =>
      bodyFrame(frameType.item, 1, (out) => encodeMsgpack('x'.repeat(bytes), out))
    // They come together, so that nothing is granted again between them: one byte of the window is left for the second.
    const both = Buffer.concat([text(1_023 - 10 - 3), text(20_000 - 6 - 3)])
    const answer = (response: ServerResponse) => {
      response.write(both)
      response.end(bodyFrame(frameType.end, 1))
    }
    assert.equal(await readFrom(answer, {}, limits), 'OK')
  },
)

for (const [field, value] of [
  ['maxFrameBytes', Number.NaN],
  ['maxFrameBytes', 1_023],
  ['maxFrameBytes', 5_000.5],
  ['maxFrameBytes', '4194304'],
  ['maxFrameBytes', 1e300],
  ['streamWindowBytes', -1],
  ['streamWindowBytes', undefined],
  ['askMs', 0],
  ['askMs', null],
  ['link', 7],
  ['instance', 7],
  ['instance', 'x'.repeat(201)],
] as const) {
  const shown = String(value).slice(0, 10)
  test(`a welcome with a ${field} of ${typeof value} ${shown} is none`, limited, async () => {
    await using server = await startHttpImpostor(() => {}, { [field]: value })
    const error = await connectTo(server.url).catch(CoveyError.from)
    assert.equal((error as CoveyError).code, 'PROTOCOL_ERROR')
    assert.match((error as CoveyError).message, new RegExp(`^${server.url}: .*${field}`))
  })
}

test('a server that hangs up in the middle of its welcome is named', limited, async () => {
  await using server = await startHalfWelcome()
  await assert.rejects(connectTo(server.url), {
    code: 'UNAVAILABLE',
    message: `${server.url}: the server closed the connection before it said its welcome`,
  })
})

test('what is sent together with the welcome is heard', limited, async () => {
  await using server = await startHttpImpostor(() => {}, { goesAway: true })
  await using connection = await connectTo(server.url)
  await until(() => connection.state === 'draining', 'it takes no calls')
})

test(
  'an accepted call without a token is PROTOCOL_ERROR, and nobody waits for one of notify',
  limited,
  async () => {
    const bodies: [number, string, string][] = [
      [204, '', ''],
      [202, '', ''],
      [202, 'null', mediaType.json],
      [202, '{"token":7}', mediaType.json],
      [200, '"done"', mediaType.json],
    ]
    for (const [status, body, type] of bodies) {
      await using server = await startHttpImpostor((request, response) => {
        request.resume()
        response.writeHead(status, type === '' ? {} : { 'content-type': type }).end(body)
      })
      await using connection = await connectTo(server.url)
      const call = (mode: 'notify' | 'submit') =>
        new Call(shop.methods.nothing, undefined, { deadlineMs: Number.POSITIVE_INFINITY, mode })
      assert.equal(await codeOf(connection.invoke(call('submit'))), 'PROTOCOL_ERROR', body)
      assert.equal(await codeOf(connection.invoke(call('notify'))), 'OK', body)
    }
  },
)

test('of an error in a damaged body the status tells the code', limited, async () => {
  for (const type of [mediaType.problem, mediaType.problemMsgpack]) {
    await using server = await startHttpImpostor((request, response) => {
      request.resume()
      response.writeHead(503, { 'content-type': type, 'retry-after': '2' }).end('{"code":"UNAV')
    })
    await using connection = await connectTo(server.url)
    const call = new Call(shop.methods.nothing, undefined, { deadlineMs: Number.POSITIVE_INFINITY })
    const error = await connection.invoke(call).catch(CoveyError.from)
    const { code, message, details } = error as CoveyError
    assert.equal(code, 'CONNECTION_LOST')
    assert.match(message, /answered HTTP 503 without a reason/)
    assert.deepEqual(details, { retryAfterMs: 2_000 })
  }
})
