import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { type RequestOptions, request } from 'node:https'
import { connect } from 'node:net'
import { test } from 'node:test'
import { connect as connectSecured } from 'node:tls'
import { systemClock } from '../../base/clock.ts'
import { Call } from '../../call/call.ts'
import { CoveyError } from '../../error/covey-error.ts'
import { type HttpBench, openHttpBench, shop } from '../../testing/fixtures/http-bench.ts'
import { RecordingLog } from '../../testing/recording-log.ts'
import {
  createTestAuthority,
  type TestAuthority,
  type TestCertificateOptions,
} from '../../testing/test-authority.ts'
import { until } from '../../testing/until.ts'
import { defaultLimits } from '../limits.ts'
import { createKeyRing } from '../tcp/create-key-ring.ts'
import { checkMaterial, fixedCredentials, type TlsCredentials } from '../tls/tls-credentials.ts'
import type { Connection } from '../transport.ts'
import { connectHttp } from './client.ts'

const limited = { timeout: 20_000 }
const dayMs = 24 * 3_600_000
const authority = createTestAuthority('fleet')
const past = { notBefore: new Date(Date.now() - 9 * dayMs), notAfter: new Date(Date.now() - dayMs) }

function credentials(options: TestCertificateOptions, from: TestAuthority = authority) {
  return fixedCredentials({ ...from.issue(options), ca: authority.ca })
}

const server = credentials({ spiffe: 'spiffe://fleet.test/shop', ips: ['127.0.0.1'] })
const client = credentials({ spiffe: 'spiffe://fleet.test/till' })

/** Asks who is seen, as any program may, with a certificate or without. */
async function who(bench: HttpBench, tls: RequestOptions, token?: string): Promise<string> {
  const sent = request(`${bench.url}/rpc/shop/who`, {
    method: 'POST',
    ca: authority.ca,
    agent: false,
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    ...tls,
  })
  sent.end()
  const [answer] = (await once(sent, 'response')) as [IncomingMessage]
  let text = ''
  for await (const part of answer.setEncoding('utf8')) text += part
  const body = JSON.parse(text)
  return answer.statusCode === 200
    ? `${body.protocol} ${body.subject}`
    : `${answer.statusCode} ${body.code}: ${body.detail}`
}

function own({ current }: TlsCredentials): RequestOptions {
  const { cert, key } = current.material
  return { cert, key }
}

function dial(url: string, tls?: TlsCredentials, more: object = {}): Promise<Connection> {
  return connectHttp(url, { clock: systemClock, limits: defaultLimits, ...more }, tls)
}

function askWho(connection: Connection): Promise<unknown> {
  const deadlineMs = systemClock.monotonicMs() + 5_000
  return connection.invoke(new Call(shop.methods.who, undefined, { deadlineMs }))
}

test('the certificate of a client is who asks', limited, async () => {
  await using bench = await openHttpBench({ credentials: server })
  assert.equal(await who(bench, own(client)), 'https spiffe://fleet.test/till')
  await using connection = await dial(bench.url, client)
  const seen = (await askWho(connection)) as { subject: string; protocol: string }
  assert.deepEqual([seen.protocol, seen.subject], ['https', 'spiffe://fleet.test/till'])
})

test('without a certificate nobody is let in, unless a token says who asks', limited, async () => {
  await using bare = await openHttpBench({ credentials: server })
  assert.match(await who(bare, {}), /^401 UNAUTHENTICATED: show a certificate/)
  const asked: unknown[] = []
  await using bench = await openHttpBench({
    credentials: server,
    async authenticate(token, { identity }) {
      asked.push([token, identity?.subject])
      if (token === 'ada') return { subject: 'ada', claims: {} }
      if (identity !== undefined) return undefined
      throw new CoveyError('UNAUTHENTICATED', 'who are you?')
    },
  })
  assert.equal(await who(bench, {}, 'ada'), 'https ada')
  assert.match(await who(bench, {}, 'bob'), /^401 UNAUTHENTICATED: who are you\?/)
  assert.equal(await who(bench, own(client), 'bob'), 'https spiffe://fleet.test/till')
  assert.equal(await who(bench, own(client), 'ada'), 'https ada')
  assert.deepEqual(asked.at(-1), ['ada', 'spiffe://fleet.test/till'])
})

test(
  'a certificate that is not believed is worse than none, and the caller hears why',
  limited,
  async () => {
    const other = createTestAuthority('fleet')
    const authenticate = async () => ({ subject: 'anybody', claims: {} })
    await using bench = await openHttpBench({ credentials: server, authenticate })
    const wrong: [TlsCredentials, RegExp][] = [
      [credentials({ spiffe: 'spiffe://fleet.test/x' }, other), /refused: [A-Z_]+$/],
      [credentials({ spiffe: 'spiffe://fleet.test/x', ...past }), /refused: CERT_HAS_EXPIRED$/],
      [credentials({ spiffe: 'spiffe://other.test/x' }), /SPIFFE id of other\.test/],
      [credentials({ dns: ['till'] }), /no SPIFFE id/],
    ]
    for (const [tls, message] of wrong) {
      const told = await who(bench, own(tls), 'token')
      assert.match(told, /^401 UNAUTHENTICATED/)
      assert.match(told, message)
    }
    const nameless = fixedCredentials({ ...authority.issue({}), ca: authority.ca })
    await using plain = await openHttpBench({ credentials: nameless, authenticate })
    assert.equal(await who(plain, { rejectUnauthorized: false }, 'token'), 'https anybody')
  },
)

test('a client takes no server that its own authorities do not know', limited, async () => {
  const other = createTestAuthority('fleet')
  const spiffe = 'spiffe://fleet.test/shop'
  const wrong: [TlsCredentials, RegExp][] = [
    [
      fixedCredentials({ ...other.issue({ spiffe }), ca: authority.ca }),
      /the certificate of the server is refused/,
    ],
    [credentials({ spiffe, ...past }), /expired/],
    [credentials({ spiffe: 'spiffe://other.test/shop' }), /SPIFFE id of other\.test/],
  ]
  for (const [tls, message] of wrong) {
    await using bench = await openHttpBench({ credentials: tls })
    await assert.rejects(dial(bench.url, client), { code: 'UNAUTHENTICATED', message })
  }
  // Without credentials of its own it asks the authorities of the system, which do not know ours.
  await using bench = await openHttpBench({ credentials: server })
  await assert.rejects(dial(bench.url), { code: 'UNAUTHENTICATED' })
})

test('a key is demanded of a server that proves nothing else', limited, async () => {
  const keys = createKeyRing([{ id: 'may', secret: 'a secret of thirty-two characters' }])
  await using bench = await openHttpBench({ credentials: server, keys })
  await using connection = await dial(bench.url, client, { keys })
  await askWho(connection)
  await assert.rejects(dial(bench.url, undefined, { keys }), {
    code: 'UNAUTHENTICATED',
    message: /cannot prove its key/,
  })
})

test('without TLS, or with TLS 1.2, nothing is answered', limited, async () => {
  await using bench = await openHttpBench({ credentials: server, limits: { handshakeMs: 500 } })
  const ended = async (socket: ReturnType<typeof connect>) => {
    let got = ''
    socket.on('data', (bytes) => {
      got += String(bytes)
    })
    socket.on('error', () => {})
    await new Promise((resolve) => socket.once('close', resolve))
    return got
  }
  const plain = connect(bench.port, '127.0.0.1')
  plain.write('GET /rpc HTTP/1.1\r\nhost: a\r\n\r\n')
  assert.doesNotMatch(await ended(plain), /HTTP/)
  const old = connectSecured({
    port: bench.port,
    maxVersion: 'TLSv1.2',
    ...client.current.material,
    rejectUnauthorized: false,
  })
  assert.equal(await ended(old), '')
  const silent = connect(bench.port, '127.0.0.1')
  assert.equal(await ended(silent), '')
  await until(() => bench.listener.connections === 0, 'all are gone')
  await assert.rejects(dial(bench.url.replace('https', 'http'), undefined), { code: 'UNAVAILABLE' })
})

test(
  'strangers in the handshake of TLS are bounded, and do not hold up the end',
  limited,
  async () => {
    const log = new RecordingLog()
    const bench = await openHttpBench({
      credentials: server,
      log,
      limits: { maxHandshakes: 5, handshakeMs: 60_000 },
    })
    const strangers = Array.from({ length: 20 }, () => connect(bench.port, '127.0.0.1'))
    for (const socket of strangers) socket.on('error', () => {}).resume()
    await until(() => bench.listener.connections === 5, 'five are left')
    await until(async () => {
      const connection = await dial(bench.url, client).catch(() => undefined)
      await connection?.close()
      return connection !== undefined
    }, 'a client that means it gets in')
    assert.ok(log.messages('warn').some((line) => line.includes('5 are shaking hands')))
    await bench.listener.close()
    await until(() => strangers.every(({ readyState }) => readyState !== 'open'), 'all are cut off')
  },
)

test('new certificates are used for what comes next, at both ends', limited, async () => {
  const next = createTestAuthority('next')
  const both = authority.ca + next.ca
  const [serves, calls] = [changing(server), changing(client)]
  await using bench = await openHttpBench({ credentials: serves.credentials })
  await using connection = await dial(bench.url, calls.credentials)
  await askWho(connection)
  serves.put(checkMaterial({ ...next.issue({ spiffe: 'spiffe://fleet.test/shop' }), ca: both }))
  calls.put(checkMaterial({ ...next.issue({ spiffe: 'spiffe://fleet.test/till2' }), ca: both }))
  // Connections that are open go on; of two calls at once one needs another.
  const seen = await Promise.all([askWho(connection), askWho(connection)])
  const subjects = seen.map((one) => (one as { subject: string }).subject).sort()
  assert.deepEqual(subjects, ['spiffe://fleet.test/till', 'spiffe://fleet.test/till2'])
  await assert.rejects(dial(bench.url, client), { code: 'UNAUTHENTICATED' })
})

function changing(first: TlsCredentials) {
  let { current } = first
  const listeners = new Set<() => void>()
  const credentials: TlsCredentials = {
    get current() {
      return current
    },
    onChange(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
  return {
    credentials,
    put(material: TlsCredentials['current']) {
      current = material
      for (const tell of listeners) tell()
    },
  }
}
