import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import type { ByteWriter } from '../../base/byte-writer.ts'
import { Trace } from '../../call/trace.ts'
import { frameType } from '../../codec/frame/frame-type.ts'
import { FrameWriter } from '../../codec/frame/frame-writer.ts'
import { encodeMsgpack } from '../../codec/msgpack/encode.ts'
import { shapesCodec } from '../../codec/shapes-codec.ts'
import { type CallHead, callFlags, writeCallHead } from './call-head.ts'

const hello =
  '{"covey":1,"newest":2,"codecs":["msgpack","json"],"maxFrameBytes":4194304,"streamWindowBytes":262144}'

const helloOfVersion1 =
  '{"covey":1,"codecs":["msgpack","json"],"maxFrameBytes":4194304,"streamWindowBytes":262144}'

const welcome =
  '{"covey":2,"codec":"msgpack","instance":"i1","maxFrameBytes":4194304,"streamWindowBytes":262144,"methods":["users.list","users.get","files.upload"]}'

const bare: CallHead = {
  method: 1,
  timeoutMs: Number.POSITIVE_INFINITY,
  trace: undefined,
  metadata: new Map(),
}

/** Bytes 1 to 24, and the flag for "sampled". */
const traceBytes = new Uint8Array(25).map((_, index) => (index < 24 ? index + 1 : 1))

const full: CallHead = {
  method: 1,
  timeoutMs: 500,
  trace: new Trace(traceBytes),
  metadata: new Map([['tenant', 'blue']]),
}

const withBaggage: CallHead = {
  ...full,
  trace: undefined,
  metadata: new Map(),
  baggage: new Map([['unit', '7']]),
}

type Vector = readonly [type: number, flags: number, id: number, body?: (out: ByteWriter) => void]

/** A call whose inputs follow as items. */
function streamVector(head: CallHead, id: number): Vector {
  return [frameType.call, callFlags(head), id, (out) => writeCallHead(head, out)]
}

function callVector(head: CallHead, id: number, type: number = frameType.call): Vector {
  return [
    type,
    callFlags(head),
    id,
    (out) => {
      writeCallHead(head, out)
      encodeMsgpack({ id: '7' }, out)
    },
  ]
}

const value = (content: unknown) => (out: ByteWriter) => encodeMsgpack(content, out)

const connection = shapesCodec.open!(() => true)

/** In the order of the table. */
const vectors: readonly Vector[] = [
  [frameType.hello, 0, 0, (out) => void out.text(hello)],
  [frameType.hello, 0, 0, (out) => void out.text(helloOfVersion1)],
  [frameType.welcome, 0, 0, (out) => void out.text(welcome)],
  callVector(bare, 7),
  callVector(full, 8),
  callVector(withBaggage, 8),
  streamVector({ ...bare, method: 2 }, 9),
  [frameType.result, 0, 7, value({ id: '7', name: 'Ada' })],
  [frameType.error, 0, 8, value({ code: 'NOT_FOUND', message: 'no user 7' })],
  [frameType.cancel, 0, 7],
  [frameType.cancel, 0, 7, value({ code: 'CANCELLED', message: 'enough' })],
  [frameType.item, 0, 9, value(5)],
  [frameType.end, 0, 9],
  [frameType.credit, 0, 9, (out) => out.u32(131_072)],
  [frameType.ping, 0, 0],
  [frameType.pong, 0, 0],
  [frameType.goAway, 0, 0],
  callVector({ ...bare, timeoutMs: 60_000 }, 10, frameType.notify),
  [frameType.accepted, 0, 10],
  callVector({ ...bare, timeoutMs: 60_000 }, 11, frameType.submit),
  [frameType.accepted, 0, 11, value('i1~AAAAAAAAAAAAAAAAAAAAAA')],
  [
    frameType.shape,
    0,
    0,
    (out) => {
      out.u16(3)
      encodeMsgpack(['id', 'name'], out)
    },
  ],
  [frameType.item, 0, 9, (out) => connection.encode(Array(5).fill('blue'), out)],
]

test('the code makes the bytes that docs/protocol.md shows', async () => {
  const page = new URL('../../../../../docs/protocol.md', import.meta.url)
  const documented = [...(await readFile(page, 'utf8')).matchAll(/\| `([0-9a-f]{20,})` \|$/gm)]
  const made = vectors.map(([type, flags, id, body]) => {
    const writer = new FrameWriter(1 << 20)
    writer.frame(type, flags, id, body)
    return Buffer.from(writer.take()).toString('hex')
  })
  assert.deepEqual(
    documented.map(([, bytes]) => bytes),
    made,
  )
})
