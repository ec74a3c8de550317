import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { Call } from '../../call/call.ts'
import { compressedFlag } from '../../codec/frame/frame-type.ts'
import { FakeClock } from '../../testing/fake-clock.ts'
import { pairMethods, sessionPair } from '../../testing/session-pair.ts'
import { until } from '../../testing/until.ts'
import type { LinkOptions } from '../link-options.ts'
import { createKeyRing } from '../tcp/create-key-ring.ts'
import { zstd } from '../tcp/zstd.ts'

// What a client makes of a conversation that the network cuts anywhere, in memory that is only lent to it.

const keys = createKeyRing([{ id: 'may', secret: 'sesame-of-may-0123456789-0123456789' }])
const packing: LinkOptions = { compression: zstd, compressAboveBytes: 200 }
const prose = Array.from({ length: 60 }, (_, n) => `and ${n * n}`).join(', ')

const kinds: [name: string, links: LinkOptions][] = [
  ['plain', {}],
  ['sealed by CRC-32C', { integrity: 'crc32c' }],
  ['sealed by HMAC', { keys }],
  ['compressed', packing],
  ['sealed by HMAC and compressed', { ...packing, keys }],
]

async function* parts(input: unknown) {
  yield* [input, new Uint8Array([1, 2, 3]), { deep: [['ünï😀']] }]
}

/** Calls of which some run at once; what came of them, and how many bytes the server sent. */
async function converse(links: LinkOptions, inputs: readonly unknown[], cut: Cut) {
  const clock = new FakeClock()
  const pair = sessionPair({
    client: links,
    server: links,
    clock,
    lends: true,
    serve: async ({ input, method }) => (method.kind === 'unary' ? input : parts(input)),
  })
  lend(pair.toServer, cut)
  assert.equal(await pair.connect(), 'ready')
  const stream = pair.client.invoke(new Call(pairMethods.items, 'part', { clock }))
  const items = collect(stream as Promise<AsyncIterable<unknown>>)
  const answers = inputs.map((input) => pair.echo(input))
  let came: unknown[] | undefined
  void Promise.all([items, ...answers]).then((all) => {
    came = all
  })
  await pair.pump()
  // Large bodies are inflated beside the event loop.
  await until(async () => {
    await pair.pump()
    return came !== undefined
  }, 'all answers came')
  const bytes = pair.sent
    .filter(({ to }) => to === 'client')
    .reduce((sum, part) => sum + part.bytes.length, 0)
  const packed = pair.sent.some(({ to, bytes }) => to === 'client' && hasPackedFrame(bytes))
  return { came: JSON.stringify(came), bytes, packed }
}

/** What should come of the calls. */
function truthOf(inputs: readonly unknown[]): string {
  const items = ['part', new Uint8Array([1, 2, 3]), { deep: [['ünï😀']] }]
  return JSON.stringify([items, ...inputs.map((input) => JSON.stringify(input))])
}

/** Whether one of the frames of a write is compressed. */
function hasPackedFrame(bytes: Uint8Array): boolean {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  for (let at = 0; at < view.length; at += 4 + view.readUInt32BE(at)) {
    if ((view[at + 5]! & compressedFlag) !== 0) return true
  }
  return false
}

async function collect(stream: Promise<AsyncIterable<unknown>>): Promise<unknown[]> {
  const items: unknown[] = []
  for await (const item of await stream) items.push(item)
  return items
}

/** Where bytes that begin at `from`, of all that are sent, are cut. */
type Cut = (from: number, length: number) => readonly number[]

const nowhere: Cut = () => []
const everywhere: Cut = (_, length) => Array.from({ length: length - 1 }, (_, at) => at + 1)
const once =
  (at: number): Cut =>
  (from, length) =>
    at > from && at < from + length ? [at - from] : []

/** What a socket reads at most at once. */
const lentBytes = 256 * 1024

/** Cuts what arrives, and overwrites each piece as soon as it was looked at. */
function lend(pipe: { receive(bytes: Uint8Array): void }, cut: Cut): void {
  const receive = pipe.receive.bind(pipe)
  const memory = new Uint8Array(lentBytes)
  let from = 0
  pipe.receive = (bytes) => {
    const ends = [...cut(from, bytes.length), bytes.length]
    from += bytes.length
    let start = 0
    for (const end of ends) {
      const piece = memory.subarray(0, end - start)
      piece.set(bytes.subarray(start, end))
      receive(piece)
      memory.fill(0xff, 0, end - start)
      start = end
    }
  }
}

for (const [name, links] of kinds) {
  test(`a client reads the same wherever the network cuts it, and byte by byte: ${name}`, {
    timeout: 120_000,
  }, async () => {
    const inputs = [{ deep: [[{ a: 'ünï😀' }]] }, prose, null]
    const { came, bytes, packed } = await converse(links, inputs, nowhere)
    assert.equal(packed, links.compression !== undefined)
    assert.equal(came, truthOf(inputs))
    assert.ok(bytes > 300, `${bytes} bytes`)
    for (let at = 1; at < bytes; at++) {
      const cut = await converse(links, inputs, once(at))
      assert.equal(cut.came, came, `cut at ${at}`)
    }
    assert.equal((await converse(links, inputs, everywhere)).came, came)
  })
}

test('large values, which are not copied again, are not of memory that was only lent', async () => {
  // More than half of what was lent, of which codecs make a view; and a text that is inflated while others wait.
  const text = Buffer.from(randomBytes(50_000)).toString('hex')
  const inputs = [new Uint8Array(140_000).fill(7), text, 'small, and behind it']
  for (const links of [{}, { keys }, packing, { ...packing, keys }]) {
    const { came, bytes } = await converse(links, inputs, nowhere)
    assert.equal(came, truthOf(inputs))
    for (let at = 1; at < bytes; at += 20_011) {
      assert.equal((await converse(links, inputs, once(at))).came, came, `cut at ${at}`)
    }
  }
})
