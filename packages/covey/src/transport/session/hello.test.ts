import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Frame, frameType } from '../../codec/frame/frame-type.ts'
import { readChallenge, readFarewell, readHello, readWelcome } from './hello.ts'

function frame(body: object): Frame {
  const bytes = new TextEncoder().encode(JSON.stringify(body))
  return { type: frameType.hello, flags: 0, id: 0, bytes, start: 0, end: bytes.length }
}

const hello = { covey: 1, codecs: ['msgpack'], maxFrameBytes: 1_024, streamWindowBytes: 1_024 }
const welcome = {
  covey: 2,
  codec: 'msgpack',
  instance: 'i',
  methods: ['a.b'],
  maxFrameBytes: 1_024,
}

test('null in a field that may be missing is the same as none', () => {
  const names = ['newest', 'instance', 'credential', 'compress', 'integrity', 'key']
  for (const name of names) {
    assert.deepEqual(readHello(frame({ ...hello, [name]: null })), readHello(frame(hello)), name)
  }
  const whole = { ...welcome, streamWindowBytes: 1_024 }
  for (const name of ['compress', 'integrity']) {
    assert.deepEqual(
      readWelcome(frame({ ...whole, [name]: null })),
      readWelcome(frame(whole)),
      name,
    )
  }
  const challenge = { nonce: '00', integrity: 'none', proof: '00' }
  const said = readChallenge(frame({ ...challenge, previousProof: null }))
  assert.deepEqual(said, readChallenge(frame(challenge)))
  const { code, message } = readFarewell(frame({ code: null, message: null }))
  assert.deepEqual([code, message], ['PROTOCOL_ERROR', 'refused'])
})

test('null in a field that must be there is refused, by its name', () => {
  for (const name of Object.keys(hello)) {
    const wrong = { code: 'PROTOCOL_ERROR', message: new RegExp(`handshake: ${name} is not`) }
    assert.throws(() => readHello(frame({ ...hello, [name]: null })), wrong)
  }
  for (const name of ['maxFrameBytes', 'streamWindowBytes', 'methods']) {
    const whole = { ...welcome, streamWindowBytes: 1_024, [name]: null }
    assert.throws(() => readWelcome(frame(whole)), { code: 'PROTOCOL_ERROR' }, name)
  }
})
