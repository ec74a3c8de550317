import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import type { ByteWriter } from '../../base/byte-writer.ts'
import { toHex } from '../../base/hex.ts'
import { crcSeal, type FrameSeal, macSeal } from '../../codec/frame/frame-seal.ts'
import { frameType } from '../../codec/frame/frame-type.ts'
import { FrameWriter } from '../../codec/frame/frame-writer.ts'
import { decodeMsgpack } from '../../codec/msgpack/decode.ts'
import { FakeClock } from '../../testing/fake-clock.ts'
import { memoryPipe } from '../../testing/memory-pipe.ts'
import { defaultLimits } from '../limits.ts'
import { createKeyRing } from '../tcp/create-key-ring.ts'
import { zstd } from '../tcp/zstd.ts'
import { FrameLink, type LinkOwner } from './frame-link.ts'
import { agree } from './key-auth.ts'

const ring = createKeyRing([{ id: 'may', secret: 'a secret of at least thirty-two characters' }])
const clientNonce = Uint8Array.from({ length: 32 }, (_, index) => index)
const serverNonce = Uint8Array.from({ length: 32 }, (_, index) => 32 + index)

/** Rows of the table below a heading: name and bytes. */
async function documented(heading: string): Promise<Map<string, string>> {
  const page = new URL('../../../../../docs/protocol.md', import.meta.url)
  const [, behind = ''] = (await readFile(page, 'utf8')).split(`### ${heading}\n`)
  const [section = ''] = behind.split(/^##/m)
  return new Map(
    [...section.matchAll(/^\| ([^|`]+?) \| `([^`]+)` \|/gm)].map((row) => [row[1]!, row[2]!]),
  )
}

function frames(seal: FrameSeal | undefined, ...types: (readonly [type: number, body?: string])[]) {
  const writer = new FrameWriter(1 << 20)
  writer.seal = seal
  return types.map(([type, body]) => {
    writer.frame(
      type,
      0,
      0,
      body === undefined ? undefined : (out: ByteWriter) => void out.text(body),
    )
    return toHex(writer.take())
  })
}

test('proofs and sealed frames are those that docs/protocol.md shows', async () => {
  const bytes = (text: string) => new TextEncoder().encode(text)
  const hello = `{"covey":1,"newest":2,"codecs":["msgpack"],"maxFrameBytes":4194304,"streamWindowBytes":262144,"key":{"id":"may","nonce":"${toHex(clientNonce)}"}}`
  const agreement = agree(ring.crypto, ring.first(), clientNonce, serverNonce)
  const serverProof = toHex(agreement.serverProof(bytes(hello), 'hmac'))
  const challenge = `{"nonce":"${toHex(serverNonce)}","integrity":"hmac","proof":"${serverProof}"}`
  const clientProof = toHex(agreement.clientProof(bytes(hello), bytes(challenge)))
  const before = createKeyRing([
    { id: 'may', secret: 'the secret that this key had until yesterday' },
  ])
  const earlier = agree(before.crypto, before.first(), clientNonce, serverNonce)
  const previousProof = toHex(earlier.serverProof(bytes(hello), 'hmac'))
  const changing = `${challenge.slice(0, -1)},"previousProof":"${previousProof}"}`
  const earlierProof = toHex(earlier.clientProof(bytes(hello), bytes(changing)))
  const twoPings = [[frameType.ping], [frameType.ping]] as const
  const [ping0, ping1] = frames(macSeal(agreement.clientFrames()), ...twoPings)
  const [pong0] = frames(macSeal(agreement.serverFrames()), [frameType.pong])
  const [crc0, crc1] = frames(crcSeal(), ...twoPings)
  const made = {
    'hello body': hello,
    'challenge body': challenge,
    'proof frame': frames(undefined, [frameType.proof, `{"proof":"${clientProof}"}`])[0],
    'challenge body while the secret is changed': changing,
    'proof by the secret before': earlierProof,
    'first frame of the client, ping, hmac': ping0,
    'second one': ping1,
    'first frame of the server, pong, hmac': pong0,
    'first frame of a direction, ping, crc32c': crc0,
    'second such frame': crc1,
  }
  if (process.env.COVEY_PRINT)
    for (const [name, value] of Object.entries(made)) console.log(`| ${name} | \`${value}\` |`)
  const shown = Object.fromEntries(await documented('Proofs and seals'))
  assert.deepEqual(shown, made)
})

test('the compressed frame of docs/protocol.md is read', async () => {
  const shown = (await documented('A compressed body')).get('item of 9')
  const pipe = memoryPipe()
  const read: unknown[] = []
  const owner: LinkOwner = {
    hasCalls: false,
    answers: true,
    onFrame: ({ bytes, start, end }) => void read.push(decodeMsgpack(bytes, start, end)),
    onClosed: (reason) => void read.push(reason),
  }
  const link = new FrameLink(pipe, owner, { limits: defaultLimits, clock: new FakeClock() })
  link.compress(zstd, Number.POSITIVE_INFINITY)
  pipe.receive(Buffer.from(shown!, 'hex'))
  assert.deepEqual(read, ['covey '.repeat(40)])
})
