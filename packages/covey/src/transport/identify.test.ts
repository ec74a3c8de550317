import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '../base/clock.ts'
import { CoveyError } from '../error/covey-error.ts'
import { FakeClock } from '../testing/fake-clock.ts'
import { openHttpBench } from '../testing/fixtures/http-bench.ts'
import { RecordingLog } from '../testing/recording-log.ts'
import { dialTcp } from '../testing/tcp-line.ts'
import { identify, identifyInTime } from './identify.ts'
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

test('whoever is not known in time is told so, and what authenticate says later changes nothing', async () => {
  const clock = new FakeClock()
  const log = new RecordingLog()
  const answer = Promise.withResolvers<never>()
  const options = { authenticate: () => answer.promise, clock, log, limits: defaultLimits }
  const asked = identifyInTime(options, 'ticket', peer).catch(CoveyError.from)
  await clock.advance(defaultLimits.handshakeMs)
  const error = (await asked) as CoveyError
  assert.deepEqual(
    [error.code, error.message],
    ['UNAVAILABLE', 'authenticate did not answer within 5000 ms'],
  )
  assert.deepEqual(
    log.lines.map(({ message }) => message),
    [error.message],
  )
  answer.reject(new Error('too late'))
  assert.equal(clock.waiting, 0)
  const quick = { ...options, authenticate: async () => undefined }
  assert.equal(await identifyInTime(quick, 'ticket', peer), undefined)
  assert.equal(clock.waiting, 0)
})

test('an authenticate that never settles costs no request and no connection more than its time', async () => {
  const limits = { ...defaultLimits, handshakeMs: 50 }
  const authenticate = () => new Promise<never>(() => {})
  await using bench = await openHttpBench({ authenticate, limits })
  const answer = await bench.post('nothing', null)
  assert.equal(answer.status, 503)
  const dispatcher = { instance: 'a', methods: [], serve: async () => undefined }
  const options = { limits, clock: systemClock, authenticate }
  const listener = await listenTcp('tcp://127.0.0.1:0', dispatcher, options)
  const error = await dialTcp(listener.address).then(() => undefined, CoveyError.from)
  await listener.close()
  assert.match(error?.message ?? '', /authenticate did not answer within 50 ms/)
})
