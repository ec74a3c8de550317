import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import { connect as connectTlsSocket } from 'node:tls'
import { inspect } from 'node:util'
import { systemClock } from '../../base/clock.ts'
import { TimerWheel } from '../../base/timer-wheel.ts'
import type { Call } from '../../call/call.ts'
import { currentCall } from '../../call/call-storage.ts'
import { compose, type Middleware } from '../../call/handler.ts'
import type { CoveyError } from '../../error/covey-error.ts'
import { silentLog } from '../../observe/log.ts'
import { clientStack } from '../../rpc/client-stack.ts'
import { contractClient } from '../../rpc/contract-client.ts'
import { createDispatcher } from '../../rpc/dispatcher.ts'
import { echo } from '../../testing/fixtures/echo-contract.ts'
import { echoService } from '../../testing/fixtures/echo-service.ts'
import { RecordingLog } from '../../testing/recording-log.ts'
import {
  createTestAuthority,
  type TestAuthority,
  type TestCertificateOptions,
} from '../../testing/test-authority.ts'
import { until } from '../../testing/until.ts'
import { defaultLimits, type Limits } from '../limits.ts'
import { tcpTransport } from '../tcp/tcp-transport.ts'
import type { Authenticate, Connection, Listener } from '../transport.ts'
import { checkMaterial, fixedCredentials, type TlsCredentials } from './tls-credentials.ts'
import { createTlsTransport } from './tls-transport.ts'

const clock = systemClock
const wheel = new TimerWheel(clock)
const dayMs = 24 * 3_600_000
const authority = createTestAuthority('fleet')

function credentials(options: TestCertificateOptions, from: TestAuthority = authority) {
  return fixedCredentials({ ...from.issue(options), ca: authority.ca })
}

const server = credentials({ spiffe: 'spiffe://fleet.test/users' })
const client = credentials({ spiffe: 'spiffe://fleet.test/gateway' })

interface ServeOptions {
  readonly limits?: Partial<Limits>
  readonly authenticate?: Authenticate
  readonly middleware?: readonly Middleware[]
  readonly log?: RecordingLog
}

function serve(own: TlsCredentials, options: ServeOptions = {}): Promise<Listener> {
  const dispatcher = createDispatcher([echoService], {
    instance: 'echo-1',
    wheel,
    log: silentLog,
    middleware: options.middleware ?? [],
  })
  const limits = { ...defaultLimits, ...options.limits }
  const { authenticate, log } = options
  const transport = createTlsTransport(own)
  return transport.listen('tls://127.0.0.1:0', dispatcher, { limits, clock, authenticate, log })
}

function dial(address: string, own: TlsCredentials): Promise<Connection> {
  return createTlsTransport(own).connect(address, { limits: defaultLimits, clock })
}

function clientOf(connection: Connection) {
  const invoke = compose(clientStack({ wheel, middleware: [] }), connection.invoke)
  return contractClient(echo, { clock, invoke, currentCall })
}

async function refusal(address: string, own: TlsCredentials): Promise<CoveyError> {
  const connection = await dial(address, own).catch((error: CoveyError) => error)
  assert.ok(connection instanceof Error, 'the connection was let in')
  return connection
}

test('the handler sees the SPIFFE id of its caller', async () => {
  const seen: Call[] = []
  const note: Middleware = (next) => (call) => {
    seen.push(call)
    return next(call)
  }
  await using listener = await serve(server, { middleware: [note] })
  await using connection = await dial(listener.address, client)
  assert.equal(await clientOf(connection).echo('hello'), 'hello')
  const identity = seen[0]?.peer.identity
  assert.equal(identity?.subject, 'spiffe://fleet.test/gateway')
  assert.equal(identity.claims.trustDomain, 'fleet.test')
  assert.match(String(identity.claims.notAfter), /^20\d\d-/)
  assert.equal(seen[0]?.peer.protocol, 'tls')
})

test('authenticate sees the certificate and may say somebody else', async () => {
  const seen: (string | undefined)[] = []
  const authenticate: Authenticate = async (_, { identity }) => {
    seen.push(identity?.subject)
    return { subject: 'somebody', claims: {} }
  }
  await using listener = await serve(server, { authenticate })
  await using connection = await dial(listener.address, client)
  await clientOf(connection).echo(1)
  assert.deepEqual(seen, ['spiffe://fleet.test/gateway'])
})

test('a server is refused that no own authority has signed, or of another time', async () => {
  const other = createTestAuthority('fleet')
  const spiffe = 'spiffe://fleet.test/users'
  const past = {
    notBefore: new Date(Date.now() - 9 * dayMs),
    notAfter: new Date(Date.now() - dayMs),
  }
  const future = {
    notBefore: new Date(Date.now() + dayMs),
    notAfter: new Date(Date.now() + 9 * dayMs),
  }
  const wrong: [TlsCredentials, RegExp][] = [
    [
      fixedCredentials({ ...other.issue({ spiffe }), ca: authority.ca }),
      /certificate of the server/,
    ],
    [credentials({ spiffe, ...past }), /expired/],
    [credentials({ spiffe, ...future }), /not yet valid/],
    [credentials({ spiffe: 'spiffe://other.test/users' }), /SPIFFE id of other\.test/],
    [credentials({ dns: ['users'] }), /no SPIFFE id/],
  ]
  for (const [own, message] of wrong) {
    await using listener = await serve(own)
    const error = await refusal(listener.address, client)
    assert.equal(error.code, 'UNAUTHENTICATED', error.message)
    assert.match(error.message, message)
  }
})

test('a client is refused in the same cases, and hears that it was; so does the log', async () => {
  const log = new RecordingLog()
  await using listener = await serve(server, { log })
  const other = createTestAuthority('fleet')
  const spiffe = 'spiffe://fleet.test/gateway'
  const past = {
    notBefore: new Date(Date.now() - 9 * dayMs),
    notAfter: new Date(Date.now() - dayMs),
  }
  const future = {
    notBefore: new Date(Date.now() + dayMs),
    notAfter: new Date(Date.now() + 9 * dayMs),
  }
  const wrong: [TlsCredentials, string][] = [
    [fixedCredentials({ ...other.issue({ spiffe }), ca: authority.ca }), 'CERT_SIGNATURE_FAILURE'],
    [credentials({ spiffe, ...past }), 'CERT_HAS_EXPIRED'],
    [credentials({ spiffe, ...future }), 'CERT_NOT_YET_VALID'],
  ]
  for (const [own, why] of wrong) {
    const error = await refusal(listener.address, own)
    assert.equal(error.code, 'UNAUTHENTICATED', error.message)
    assert.match(error.message, new RegExp(`the certificate of the client is refused: ${why}`))
  }
  assert.equal(listener.connections, 0)
  assert.deepEqual(log.messages('warn'), ['a client was refused'])
})

test('a client of another trust domain is cut off before its first frame is read', async () => {
  await using listener = await serve(server)
  // Without a domain of its own it looks at the name of the host alone, which fits.
  const outsider = credentials({ ips: ['127.0.0.1'] })
  await using named = await serve(
    credentials({ spiffe: 'spiffe://fleet.test/a', ips: ['127.0.0.1'] }),
  )
  assert.match((await refusal(named.address, outsider)).message, /no SPIFFE id/)
  assert.equal(named.connections, 0)
  const foreign = credentials({ spiffe: 'spiffe://other.test/x' })
  assert.equal((await refusal(listener.address, foreign)).code, 'UNAUTHENTICATED')
})

test('without SPIFFE ids the name of the host decides', async () => {
  await using right = await serve(credentials({ ips: ['127.0.0.1'] }))
  await using wrong = await serve(credentials({ dns: ['users.example'] }))
  const plain = credentials({ commonName: 'gateway' })
  await using connection = await dial(right.address, plain)
  assert.equal(await clientOf(connection).echo(1), 1)
  const error = await refusal(wrong.address, plain)
  assert.equal(error.code, 'UNAUTHENTICATED')
  assert.match(error.message, /IP: 127\.0\.0\.1 is not in the cert's list/)
})

test('strangers without a certificate, with TLS 1.2 or without TLS get nothing', async () => {
  await using listener = await serve(server, { limits: { handshakeMs: 500 } })
  const { port } = new URL(listener.address.replace('tls:', 'http:'))
  const ends = async (socket: ReturnType<typeof connect>): Promise<string> => {
    let got = ''
    socket.on('data', (bytes) => {
      got += bytes.toString('latin1')
    })
    socket.on('error', () => {})
    await new Promise((resolve) => socket.once('close', resolve))
    return got
  }
  const base = { host: '127.0.0.1', port: Number(port), ca: authority.ca, ALPNProtocols: ['covey'] }
  const checkServerIdentity = () => undefined
  const nameless = connectTlsSocket({ ...base, checkServerIdentity })
  nameless.write('anything')
  assert.match(await ends(nameless), /UNAUTHENTICATED.*the peer has no certificate/)
  const { cert, key } = client.current.material
  const old = connectTlsSocket({ ...base, cert, key, maxVersion: 'TLSv1.2', checkServerIdentity })
  assert.equal(await ends(old), '')
  // Silent ones hold nothing for longer than a handshake may take.
  const silent = connect(Number(port), '127.0.0.1')
  assert.equal(await ends(silent), '')
  assert.equal(listener.connections, 0)
})

test('a client that expects no TLS, or meets none, says so', async () => {
  await using secured = await serve(server)
  const options = { limits: { ...defaultLimits, handshakeMs: 1_000 }, clock }
  const plain = secured.address.replace('tls:', 'tcp:')
  const unsecured = await tcpTransport.connect(plain, options).catch((error: CoveyError) => error)
  assert.equal((unsecured as CoveyError).code, 'UNAVAILABLE')
  const dispatcher = createDispatcher([echoService], {
    instance: 'echo-2',
    wheel,
    log: silentLog,
    middleware: [],
  })
  await using open = await tcpTransport.listen('tcp://127.0.0.1:0', dispatcher, options)
  const error = await refusal(open.address.replace('tcp:', 'tls:'), client)
  assert.equal(error.code, 'UNAVAILABLE')
})

test('new certificates are used for new connections, while open ones go on', async () => {
  let current = server.current
  const listeners = new Set<() => void>()
  const changing: TlsCredentials = {
    get current() {
      return current
    },
    onChange: (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
  const listener = await serve(changing)
  await using before = await dial(listener.address, client)
  const api = clientOf(before)
  assert.equal(await api.echo(1), 1)

  const next = createTestAuthority('next')
  const both = authority.ca + next.ca
  const spiffe = 'spiffe://fleet.test/users'
  current = checkMaterial({ ...next.issue({ spiffe }), ca: both })
  for (const tell of listeners) tell()
  assert.equal((await refusal(listener.address, client)).code, 'UNAUTHENTICATED')
  const updated = fixedCredentials({ ...authority.issue({ spiffe }), ca: both })
  await using after = await dial(listener.address, updated)
  assert.equal(await clientOf(after).echo(2), 2)
  assert.equal(await api.echo(3), 3)
  await listener.close()
  await until(() => listeners.size === 0, 'the closed listener follows the certificates no more')
})

test('no session is taken up again, with a certificate that may have ended since', async () => {
  let current = server.current
  const listeners = new Set<() => void>()
  const changing: TlsCredentials = {
    get current() {
      return current
    },
    onChange: (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
  await using listener = await serve(changing)
  const port = Number(new URL(listener.address.replace('tls:', 'http:')).port)
  const { cert, key } = client.current.material
  const base = { port, cert, key, ca: authority.ca, ALPNProtocols: ['covey'] }
  const checkServerIdentity = () => undefined
  let session: Buffer | undefined
  for (const round of ['first', 'again', 'after a change of certificates']) {
    if (round.startsWith('after')) {
      current = checkMaterial({ ...current.material })
      for (const tell of listeners) tell()
    }
    const socket = connectTlsSocket({ ...base, checkServerIdentity, ...(session && { session }) })
    socket.on('error', () => {})
    const said = Promise.withResolvers<void>()
    socket.on('session', (bytes) => {
      session = bytes
      said.resolve()
    })
    await new Promise((resolve) => socket.once('secureConnect', resolve))
    assert.equal(socket.isSessionReused(), false, round)
    await said.promise
    socket.destroy()
  }
})

test('nothing that prints credentials prints their key', () => {
  const shown = [inspect([client, client.current], { depth: 9, showHidden: true })]
  shown.push(JSON.stringify([client, client.current]))
  const secret = client.current.material.key.split('\n')[1]!
  assert.ok(secret.length > 20)
  for (const text of shown) {
    assert.ok(!text.includes(secret), text)
    assert.match(text, /secret/)
  }
})

test('material that does not fit together is refused without showing the key', () => {
  const one = authority.issue()
  const two = authority.issue()
  const cases = [
    { cert: one.cert, key: two.key, ca: authority.ca },
    { cert: 'nonsense', key: one.key, ca: authority.ca },
    { cert: one.cert, key: 'nonsense', ca: authority.ca },
    { cert: one.cert, key: one.key, ca: '' },
  ]
  for (const material of cases) {
    assert.throws(
      () => checkMaterial(material),
      (error: CoveyError) => {
        assert.equal(error.code, 'INVALID_SETTINGS')
        const secret = two.key.split('\n')[1]!
        assert.ok(!JSON.stringify([error.message, error.stack]).includes(secret))
        return true
      },
    )
  }
})
