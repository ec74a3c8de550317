import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CoveyError, type ErrorData } from '../error/covey-error.ts'
import { sendErrorData } from '../error/send-error-data.ts'
import type { Codec } from './codec.ts'
import { macSeal } from './frame/frame-seal.ts'
import { FrameWriter } from './frame/frame-writer.ts'
import { jsonCodec } from './json-codec.ts'
import { msgpackCodec } from './msgpack-codec.ts'

// Every error can be told, in every codec, to a peer with the smallest frames there are.

const smallestFrameBytes = 1024

function told(error: CoveyError, codec: Codec): ErrorData {
  const writer = new FrameWriter(smallestFrameBytes)
  writer.seal = macSeal(() => new Uint8Array(32))
  return sendErrorData(error.toData(), (data) => {
    let seen: unknown
    writer.frame(1, 0, 1, (out) => {
      const from = out.size
      codec.encode(data, out)
      const bytes = out.tail(from).slice()
      seen = codec.decode(bytes, 0, bytes.length)
    })
    return seen as ErrorData
  })
}

const huge = 'x'.repeat(5_000_000)
const errors: [string, CoveyError, RegExp][] = [
  ['a long message', new CoveyError('NOT_FOUND', huge), /^x{256}$/],
  ['details that are too long', new CoveyError('NOT_FOUND', 'no', { details: huge }), /^no$/],
  ['details that cannot be sent', new CoveyError('NOT_FOUND', 'no', { details: test }), /^no$/],
  ['half an emoji', new CoveyError('NOT_FOUND', `${'a'.repeat(19)}😀`.slice(0, 20)), /^a{19}.$/],
  ['a long code', new CoveyError(`C${huge}`, 'no'), /^no$/],
  ['a code of halves', new CoveyError('\udead'.repeat(200), '\ud800'.repeat(2_000)), /./],
  ['control characters', new CoveyError('\u0001'.repeat(200), '\u0001'.repeat(2_000)), /./],
  ['a code that is none', new CoveyError(7n as never, huge), /./],
]

for (const codec of [jsonCodec, msgpackCodec]) {
  for (const [what, error, message] of errors) {
    test(`${codec.name}: ${what}`, () => {
      const data = told(error, codec)
      assert.equal(typeof data.code, 'string')
      assert.match(data.message, message)
      if (error.code === 'NOT_FOUND') assert.equal(data.code, 'NOT_FOUND')
    })
  }
}

test('what can be sent is sent as it is, once', () => {
  const sent: ErrorData[] = []
  sendErrorData({ code: 'X', message: 'm', details: { a: 1 } }, (data) => sent.push(data))
  assert.deepEqual(sent, [{ code: 'X', message: 'm', details: { a: 1 } }])
})

test('a connection that sends nothing at all is told to whoever asked', () => {
  const broken = new Error('broken')
  const send = () => {
    throw broken
  }
  assert.throws(() => sendErrorData({ code: 'X', message: 'm' }, send), broken)
})
