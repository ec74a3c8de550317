import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '../base/clock.ts'
import { CoveyError } from '../error/covey-error.ts'
import { openHttpBench } from '../testing/fixtures/http-bench.ts'
import { RecordingLog } from '../testing/recording-log.ts'
import { dialTcp } from '../testing/tcp-line.ts'
import { identify } from './identify.ts'
import { defaultLimits } from './limits.ts'
import { listenTcp } from './tcp/server.ts'
import type { Authenticate } from './transport.ts'

const peer = { protocol: 'tcp', address: '127.0.0.1:1', connectionId: 'a/1', identity: undefined }

/** The mistakes of users: the second one is not even a promise. */
const mistaken: [string, Authenticate][] = [
  ['rejects', async () => (undefined as never as { id: string }).id as never],
  [
    'throws',
    () => {
      throw new TypeError('no database')
    },
  ],
]

test('who is at the other end, a refusal, and nobody who asks', async () => {
  const log = new RecordingLog()
  const ada = { subject: 'ada', claims: {} }
  assert.deepEqual(await identify({ authenticate: async () => ada, log }, 'ticket', peer), ada)
  assert.equal(await identify({ authenticate: undefined, log }, 'ticket', peer), undefined)
  const refusal = new CoveyError('UNAUTHENTICATED', 'no ticket')
  const refuse = async () => Promise.reject(refusal)
  await assert.rejects(identify({ authenticate: refuse, log }, undefined, peer), refusal)
  assert.deepEqual(log.lines, [])
})

for (const [how, authenticate] of mistaken) {
  test(`authenticate ${how} what is no CoveyError: it is in the log, with the id that callers get`, async () => {
    const log = new RecordingLog()
    await using bench = await openHttpBench({ authenticate, log })
    const answer = await bench.post('nothing', null)
    const { code, details } = (await answer.json()) as {
      code: string
      details: { errorId: string }
    }
    assert.equal(code, 'INTERNAL')
    const [line, ...more] = log.lines
    assert.deepEqual([line?.level, line?.message, more], ['error', 'authenticate failed', []])
    assert.ok(line?.fields.err instanceof TypeError)
    assert.equal(line.fields.errorId, details.errorId)
    assert.equal(line.fields.protocol, 'http')

    const dispatcher = { instance: 'a', methods: [], serve: async () => undefined }
    const options = { limits: defaultLimits, clock: systemClock, authenticate, log }
    const listener = await listenTcp('tcp://127.0.0.1:0', dispatcher, options)
    const error = await dialTcp(listener.address).then(() => undefined, CoveyError.from)
    await listener.close()
    assert.equal(error?.code, 'INTERNAL')
    assert.match(error.message, /authenticate failed; error id [\w-]{36}/)
    assert.deepEqual(
      log.lines.map(({ fields }) => fields.protocol),
      ['http', 'tcp'],
    )
  })
}
