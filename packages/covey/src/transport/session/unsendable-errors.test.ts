import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Call } from '../../call/call.ts'
import { frameType } from '../../codec/frame/frame-type.ts'
import { CoveyError } from '../../error/covey-error.ts'
import { ask, fourMethods, upload } from '../../testing/four-kinds.ts'
import {
  callFrame,
  clientEnd,
  jsonFrame,
  saidBy,
  serverEnd,
  settled,
} from '../../testing/session-ends.ts'

// Errors and reasons that cannot be sent as they are. An unhandled rejection fails a test by itself.

const half = '\ud800'
const hello = {
  covey: 1,
  newest: 2,
  codecs: ['msgpack'],
  maxFrameBytes: 1024,
  streamWindowBytes: 1 << 16,
}

async function* failing(error: unknown) {
  yield 1
  throw error
}

for (const [what, error, message] of [
  ['a long message', new CoveyError('NOT_FOUND', 'x'.repeat(2_000)), 'x'.repeat(256)],
  ['half a character', new CoveyError('NOT_FOUND', `no room ${half}`), 'no room \ufffd'],
  ['details that cannot be sent', new CoveyError('NOT_FOUND', 'no', { details: test }), 'no'],
] as const) {
  test(`an error with ${what} is told, and the connection goes on`, async () => {
    const serve = async (call: Call) => {
      if (call.input === 'fine') return 'fine'
      if (call.method.kind === 'serverStream') return failing(error)
      throw error
    }
    const { pipe, closed } = await serverEnd(fourMethods, serve, { greeted: false })
    pipe.receive(jsonFrame(frameType.hello, hello))
    await settled()
    saidBy(pipe)
    pipe.receive(callFrame(1, 0))
    pipe.receive(callFrame(2, 1))
    pipe.receive(callFrame(3, 0, 'fine'))
    await settled()
    const data = { code: 'NOT_FOUND', message }
    const said = saidBy(pipe).toSorted(([, a], [, b]) => a - b)
    assert.deepEqual(said, [
      ['error', 1, data],
      ['item', 2, 1],
      ['error', 2, data],
      ['result', 3, 'fine'],
    ])
    assert.deepEqual(closed, [])
  })
}

test('a stream that is none fails its call alone', async () => {
  const odd = [undefined, 7, { [Symbol.asyncIterator]: 1 }]
  const serve = async (call: Call) => odd[call.input as number]
  const { pipe, session, closed } = await serverEnd(fourMethods, serve)
  for (const which of odd.keys()) pipe.receive(callFrame(1 + which, 1, which))
  await settled()
  const codes = saidBy(pipe).map(([, , value]) => (value as CoveyError).code)
  assert.deepEqual(codes, ['INTERNAL', 'INTERNAL', 'INTERNAL'])
  assert.equal(session.running, 0)
  assert.deepEqual(closed, [])
})

test('a connection is refused with as much of the reason as can be sent', async () => {
  const { pipe, session, closed } = await serverEnd(fourMethods, async () => {}, { greeted: false })
  pipe.receive(jsonFrame(frameType.hello, hello))
  await settled()
  saidBy(pipe)
  session.refuse(new CoveyError('UNAUTHENTICATED', 'x'.repeat(9_000), { details: { n: 1n } }))
  await settled()
  const [farewell] = saidBy(pipe)
  const { code, message } = JSON.parse(farewell?.[2] as string)
  assert.deepEqual([code, message], ['UNAUTHENTICATED', 'x'.repeat(256)])
  assert.deepEqual(closed, [undefined])
})

/** Reasons of a caller, and what the server is told in frames of up to 1,024 bytes. */
const reasons: [string, CoveyError, { code: string; message: string }][] = [
  ['half a character', new CoveyError('CANCELLED', half), { code: 'CANCELLED', message: '\ufffd' }],
  [
    'a character at the cut',
    new CoveyError('DEADLINE_EXCEEDED', `${'x'.repeat(999)}😀`),
    { code: 'DEADLINE_EXCEEDED', message: 'x'.repeat(256) },
  ],
  [
    'a long message of three bytes each',
    new CoveyError('CANCELLED', '語'.repeat(1_000)),
    { code: 'CANCELLED', message: '語'.repeat(256) },
  ],
]

for (const [what, reason, said] of reasons) {
  test(`a caller that gives up for ${what} has its answer, and so has the server`, async () => {
    const { pipe, session } = await clientEnd(fourMethods, { welcome: { maxFrameBytes: 1024 } })
    const call = new Call(ask, 'x')
    const result = session.invoke(call)
    let told = 0
    call.onCancel(() => {
      told += 1
    })
    call.cancel(reason)
    assert.equal(await result.catch((error: unknown) => error), reason)
    assert.equal(told, 1, 'those behind it are told as well')
    assert.deepEqual(saidBy(pipe).slice(1), [['cancel', 1, said]])
    assert.equal(session.state, 'open')
    assert.equal(session.pending, 0)
  })
}

test('a source that throws half a character ends its call, and the server is told', async () => {
  const { pipe, session } = await clientEnd(fourMethods)
  const source = failing(new CoveyError('ABORTED', half))
  const code = session.invoke(new Call(upload, source)).catch((error: CoveyError) => error.code)
  await settled()
  assert.equal(await code, 'ABORTED')
  const last = saidBy(pipe).at(-1)
  assert.deepEqual(last, ['cancel', 1, { code: 'ABORTED', message: '\ufffd' }])
})
