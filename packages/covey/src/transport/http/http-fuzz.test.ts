import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import { systemClock } from '../../base/clock.ts'
import { frameType } from '../../codec/frame/frame-type.ts'
import { encodeMsgpack } from '../../codec/msgpack/encode.ts'
import { CoveyError } from '../../error/covey-error.ts'
import { openHttpBench } from '../../testing/fixtures/http-bench.ts'
import { bodyFrame } from '../../testing/fixtures/http-impostor.ts'
import { mutate } from '../../testing/mutate.ts'
import { seededRandom } from '../../testing/random.ts'
import { RecordingLog } from '../../testing/recording-log.ts'
import { defaultLimits } from '../limits.ts'
import { jsonBody } from './body-codec.ts'
import { readCallHeaders } from './call-headers.ts'
import { FrameBody } from './frame-body.ts'
import { mediaType } from './wire.ts'

// Damaged requests: each is answered or refused as such, none is a fault of ours. `make soak` sends more.

const rounds = Number(process.env.COVEY_HTTP_FUZZ ?? 20_000)
const seed = Number(process.env.COVEY_SEED ?? Date.now() % 2 ** 31)
const limits = { ...defaultLimits, maxFrameBytes: 20_000 }

/** Runs a reader; anything but a CoveyError is a fault. */
function refusedOrRead(run: () => void, what: () => string): void {
  try {
    run()
  } catch (error) {
    assert.ok(
      error instanceof CoveyError,
      `COVEY_SEED=${seed} ${what()}: ${(error as Error).stack}`,
    )
    assert.notEqual(error.code, 'INTERNAL', `COVEY_SEED=${seed} ${what()}`)
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

const value = { item: 'tea', count: 3, list: [1, -2.5, null, true], text: 'ünï😀"\\' }
const { item, credit, cancel, end, result, error } = frameType
const frames = Buffer.concat([
  bodyFrame(item, 1, (out) => encodeMsgpack(value, out)),
  bodyFrame(credit, 1, (out) => out.u32(1_000)),
  bodyFrame(result, 1, (out) => encodeMsgpack('done', out)),
  bodyFrame(error, 1, (out) => encodeMsgpack({ code: 'X', message: 'y', details: [1] }, out)),
  bodyFrame(cancel, 1, (out) => encodeMsgpack({ code: 'CANCELLED', message: 'left' }, out)),
  bodyFrame(end, 1),
])

test(`${rounds} damaged bodies of frames are read or refused`, () => {
  const random = seededRandom(seed)
  const target = {
    write: () => true,
    writableNeedDrain: false,
    destroyed: false,
    once() {},
    off() {},
  }
  const nothing = () => {}
  for (let round = 0; round < rounds; round++) {
    const bytes = mutate(frames, random)
    const body = new FrameBody(
      target as never,
      { clock: systemClock, limits, maxSentBytes: limits.maxFrameBytes },
      {
        onItem: nothing,
        onCredit: (bytes) => assert.ok(Number.isSafeInteger(bytes)),
        onEnd: nothing,
        onResult: nothing,
        onError: (told) =>
          assert.ok(typeof told.code === 'string' && typeof told.message === 'string'),
        onCancel: (told) => assert.equal(typeof told.message, 'string'),
        onLate: nothing,
        onSlow: nothing,
      },
    )
    refusedOrRead(
      () => body.push(bytes),
      () => hex(bytes),
    )
    body.stop()
  }
})

test(`${rounds} damaged texts of JSON: what is taken is what JSON says`, () => {
  const random = seededRandom(seed)
  const text = Buffer.from(JSON.stringify({ a: value, b: { a: value, c: [value] } }))
  for (let round = 0; round < rounds; round++) {
    const bytes = mutate(text, random)
    refusedOrRead(
      () => {
        const read = jsonBody.decode(bytes)
        if (bytes.length > 0) assert.deepEqual(read, JSON.parse(Buffer.from(bytes).toString()))
      },
      () => hex(bytes),
    )
  }
  assert.deepEqual(Object.getOwnPropertyNames({}), [])
  assert.equal(({} as { polluted?: unknown }).polluted, undefined)
})

test(`${rounds} damaged headers of calls are read or refused`, () => {
  const random = seededRandom(seed)
  const headers: Record<string, string> = {
    'covey-timeout-ms': '2500',
    prefer: 'wait=5, respond-async',
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    tracestate: 'a=1,b@c=2',
    baggage: 'user=%C3%A4da;p=1, tenant=7',
    'covey-meta-tag': 'a%20b%C3%BC',
  }
  const names = Object.keys(headers)
  for (let round = 0; round < rounds; round++) {
    const name = names[round % names.length]!
    const damaged = Buffer.from(mutate(Buffer.from(headers[name]!), random)).toString('latin1')
    refusedOrRead(
      () => {
        const { timeoutMs } = readCallHeaders({ ...headers, [name]: damaged }, limits)
        assert.ok(timeoutMs === undefined || timeoutMs >= 0)
      },
      () => `${name}: ${damaged}`,
    )
  }
})

/** Requests as they go over the wire, whole. */
function requests(): Buffer[] {
  const post = (path: string, type: string, body: Uint8Array | string, more = '') => {
    const bytes = Buffer.from(body)
    const head = `POST ${path} HTTP/1.1\r\nhost: a\r\ncontent-type: ${type}\r\n${more}content-length: ${bytes.length}\r\n\r\n`
    return Buffer.concat([Buffer.from(head), bytes])
  }
  const params = JSON.stringify({ guid: 'g', api: { a: { name: '/shop/echo', param: value } } })
  return [
    post('/rpc/shop/echo', mediaType.json, JSON.stringify(value), 'covey-meta-tag: a%20b\r\n'),
    post('/rpc/shop/count', mediaType.json, '{"to":2}', `accept: ${mediaType.events}\r\n`),
    post(
      '/rpc/shop/count',
      mediaType.frames,
      bodyFrame(item, 1, (out) => encodeMsgpack({ to: 2 }, out)),
    ),
    post('/rpc/shop/sip', mediaType.lines, ''),
    post('/rpc/batch', mediaType.json, '{"a":{"method":"shop.echo","input":1}}'),
    post('/api/multisync', mediaType.form, new URLSearchParams({ guid: 'g', params }).toString()),
    Buffer.from('HEAD /rpc?link=7f HTTP/1.1\r\nhost: a\r\n\r\n'),
  ]
}

/** Sends one request and then no more; resolves when the server has closed. */
function send(port: number, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => {}).on('data', () => {})
    socket.once('close', () => resolve())
    socket.end(bytes)
  })
}

const sent = Math.ceil(rounds / 10)

test(`${sent} damaged requests over sockets harm nothing`, { timeout: 600_000 }, async () => {
  const random = seededRandom(seed)
  const log = new RecordingLog()
  const quick = { partialFrameMs: 500, maxFrameBytes: 20_000 }
  await using bench = await openHttpBench({ log, dora: true, limits: quick })
  const all = requests()
  let next = 0
  const sender = async () => {
    while (next < sent) await send(bench.port, mutate(all[next++ % all.length]!, random))
  }
  await Promise.all(Array.from({ length: 16 }, sender))
  assert.deepEqual(log.messages('error'), [], `COVEY_SEED=${seed}`)
  assert.deepEqual(await (await bench.post('echo', value)).json(), value)
})
