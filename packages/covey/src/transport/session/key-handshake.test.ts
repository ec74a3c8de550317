import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../../testing/fake-clock.ts'
import { memoryPipe } from '../../testing/memory-pipe.ts'
import { rewriteFrame, type SessionPairOptions, sessionPair } from '../../testing/session-pair.ts'
import { defaultLimits } from '../limits.ts'
import { createKeyRing, type KeyOptions } from '../tcp/create-key-ring.ts'
import { ServerSession } from './server-session.ts'

const may: KeyOptions = { id: 'may', secret: 'sesame-of-may-0123456789-0123456789' }
const june: KeyOptions = { id: 'june', secret: 'sesame-of-june-0123456789-0123456789' }
const other: KeyOptions = { id: 'may', secret: 'sesame-of-nobody-0123456789-012345' }

const ring = (...keys: KeyOptions[]) => createKeyRing(keys)

/** Both sides with the same key, with changes. */
function keyed(changes: Partial<SessionPairOptions> = {}): SessionPairOptions {
  return { client: { keys: ring(may) }, server: { keys: ring(may) }, ...changes }
}

const [hello, welcome, challenge, proof] = [1, 2, 16, 17]

test('two sides with the same key meet, seal their frames, and the server knows who calls', async () => {
  const pair = sessionPair(keyed())
  assert.equal(await pair.connect(), 'ready')
  assert.equal(await pair.echo({ n: 1 }), '{"n":1}')
  assert.deepEqual(pair.seen.peer?.identity, { subject: 'key:may', claims: { key: 'may' } })
  const called = pair.sent.find(({ to, bytes }) => to === 'server' && bytes[4] === 3)
  const plain = sessionPair()
  await plain.connect()
  await plain.echo({ n: 1 })
  const unsealed = plain.sent.find(({ to, bytes }) => to === 'server' && bytes[4] === 3)
  assert.equal(called!.bytes.length, unsealed!.bytes.length + 16)
})

test('a key says who has it, unless a credential says more', async () => {
  const keys = ring({ ...may, subject: 'billing' })
  const named = sessionPair(keyed({ server: { keys } }))
  assert.equal(await named.connect(), 'ready')
  await named.echo(1)
  assert.equal(named.seen.peer?.identity?.subject, 'billing')
  const asked: unknown[] = []
  const both = sessionPair({
    client: { keys: ring(may), credential: 'ticket' },
    server: {
      keys,
      authenticate: async (credential, peer) => {
        asked.push(credential, peer.identity?.subject)
        return { subject: 'ada', claims: {} }
      },
    },
  })
  assert.equal(await both.connect(), 'ready')
  await both.echo(1)
  assert.deepEqual(asked, ['ticket', 'billing'])
  assert.equal(both.seen.peer?.identity?.subject, 'ada')
})

test('no wire, message or error shows a part of a secret, or the same proof twice', async () => {
  const texts: string[] = []
  const outcomes = [keyed(), keyed(), keyed({ client: { keys: ring(other) } })].map(
    async (options) => {
      const pair = sessionPair(options)
      const outcome = await pair.connect()
      await pair.echo(1)
      texts.push(outcome, ...pair.sent.map(({ bytes }) => Buffer.from(bytes).toString('latin1')))
      return pair.sent.filter(({ bytes }) => bytes[4] === challenge || bytes[4] === proof)
    },
  )
  const proofs = (await Promise.all(outcomes))
    .flat()
    .map(({ bytes }) => Buffer.from(bytes).toString())
  assert.equal(proofs.length, 5)
  assert.equal(new Set(proofs).size, 5)
  assert.doesNotMatch(texts.join('\n'), /sesame/)
})

const refusals: [title: string, options: SessionPairOptions, expected: RegExp][] = [
  [
    'another secret under the same id',
    keyed({ client: { keys: ring(other) } }),
    /^UNAUTHENTICATED: the server does not have the secret of key "may"/,
  ],
  [
    'a key that the server does not know',
    keyed({ client: { keys: ring(june) } }),
    /^UNAUTHENTICATED: key "june" is not known here; add it to covey.keys/,
  ],
  [
    'a client without a key',
    keyed({ client: {} }),
    /^UNAUTHENTICATED: this instance takes only clients with a key, and the client proved no key/,
  ],
  [
    'a server without keys',
    keyed({ server: {} }),
    /^UNAUTHENTICATED: instance i did not prove that it has key "may": it uses no keys/,
  ],
  [
    'a server that seals nothing, where frames have to be sealed',
    keyed({ server: { keys: ring(may), integrity: 'none' } }),
    /^UNAUTHENTICATED: the server seals no frames; set covey.integrity/,
  ],
]

for (const [title, options, expected] of refusals) {
  test(`refused: ${title}`, async () => {
    const pair = sessionPair(options)
    assert.match(await pair.connect(), expected)
    assert.equal(await pair.echo(1), 'UNAVAILABLE')
    assert.deepEqual(pair.seen.inputs, [])
  })
}

test('keys without seals, and with sums, where both sides say so', async () => {
  for (const [integrity, sealBytes] of [
    ['none', 0],
    ['crc32c', 4],
  ] as const) {
    const settings = { keys: ring(may), integrity }
    const pair = sessionPair({ client: settings, server: settings })
    assert.equal(await pair.connect(), 'ready')
    pair.sent.length = 0
    assert.equal(await pair.echo('x'), '"x"')
    const call = pair.sent.find(({ to }) => to === 'server')!
    // Head of the frame, head of the call, "x", seal.
    assert.equal(call.bytes.length, 10 + 6 + 2 + sealBytes + (call.bytes[5]! & 1 ? 25 : 0))
    assert.equal(pair.seen.peer?.identity?.subject, 'key:may')
  }
})

test('rotation: new connections use the new key, those that exist go on', async () => {
  const [clients, servers] = [ring(may), ring(may)]
  const meet = async () => {
    const pair = sessionPair({ client: { keys: clients }, server: { keys: servers } })
    return { pair, outcome: await pair.connect() }
  }
  const first = await meet()
  assert.equal(first.outcome, 'ready')
  servers.replace([may, june])
  assert.equal((await meet()).outcome, 'ready')
  clients.replace([june, may])
  const second = await meet()
  assert.equal(second.outcome, 'ready')
  await second.pair.echo(1)
  assert.equal(second.pair.seen.peer?.identity?.subject, 'key:june')
  servers.replace([june])
  assert.equal((await meet()).outcome, 'ready')
  clients.replace([may])
  assert.match((await meet()).outcome, /^UNAUTHENTICATED: key "may" is not known here/)
  assert.equal(await first.pair.echo('still here'), '"still here"')
})

test('a ring that changes in the middle of a handshake does not mix keys', async () => {
  const keys = ring(may)
  const pair = sessionPair(
    keyed({
      client: { keys },
      tamper(bytes) {
        if (bytes[4] === challenge) keys.replace([june])
        return bytes
      },
    }),
  )
  assert.equal(await pair.connect(), 'ready')
})

const attacks: [title: string, tamper: (bytes: Uint8Array) => Uint8Array][] = [
  ['takes the key out of the hello', rewriteFrame(hello, (body) => delete body.key)],
  ['makes it a hello of version 1', rewriteFrame(hello, (body) => delete body.newest)],
  [
    'names another key',
    rewriteFrame(hello, (body) => Object.assign(body.key as object, { id: 'june' })),
  ],
  [
    'changes the nonce',
    rewriteFrame(hello, (body) => Object.assign(body.key as object, { nonce: '00'.repeat(32) })),
  ],
  [
    'chooses another codec',
    rewriteFrame(hello, (body) => Object.assign(body, { codecs: ['json'] })),
  ],
  [
    'adds a credential',
    rewriteFrame(hello, (body) => Object.assign(body, { credential: 'stolen' })),
  ],
  [
    'reorders nothing but a blank of the hello',
    (bytes) => (bytes[4] === hello ? withBlank(bytes) : bytes),
  ],
  [
    'takes the seals out of the challenge',
    rewriteFrame(challenge, (body) => Object.assign(body, { integrity: 'none' })),
  ],
  [
    'changes the nonce of the server',
    rewriteFrame(challenge, (body) => Object.assign(body, { nonce: '11'.repeat(32) })),
  ],
  [
    'cuts the proof of the server',
    rewriteFrame(challenge, (body) => Object.assign(body, { proof: '' })),
  ],
  ['adds to the challenge', rewriteFrame(challenge, (body) => Object.assign(body, { more: 1 }))],
  [
    'cuts the proof of the client',
    rewriteFrame(proof, (body) => Object.assign(body, { proof: '' })),
  ],
  ['sends the proof of the server back as that of the client', reflect()],
  [
    'puts a welcome in the place of the challenge',
    (bytes) => (bytes[4] === challenge ? forgedWelcome() : bytes),
  ],
]

for (const [title, tamper] of attacks) {
  test(`a man in the middle who ${title} gets nothing`, async () => {
    let done = false
    const once = (bytes: Uint8Array) => {
      const changed = done ? bytes : tamper(bytes)
      done ||= Buffer.compare(changed, bytes) !== 0
      return changed
    }
    const pair = sessionPair({
      client: { keys: ring(may) },
      server: { keys: ring(may, june) },
      tamper: once,
    })
    assert.notEqual(await pair.connect(), 'ready')
    assert.ok(done, 'the attack took place')
    assert.equal(await pair.echo(1), 'UNAVAILABLE')
    assert.deepEqual(pair.seen.inputs, [])
  })
}

/** A blank behind the first brace: the same JSON in other bytes. */
function withBlank(bytes: Uint8Array): Uint8Array {
  const changed = Buffer.concat([bytes.subarray(0, 11), Buffer.from(' '), bytes.subarray(11)])
  changed.writeUInt32BE(changed.length - 4, 0)
  return changed
}

function forgedWelcome(): Uint8Array {
  const body = Buffer.from(
    '{"covey":2,"codec":"msgpack","instance":"i","maxFrameBytes":65536,"streamWindowBytes":65536,"methods":["pair.echo"]}',
  )
  const head = Buffer.from([0, 0, 0, 0, welcome!, 0, 0, 0, 0, 0])
  head.writeUInt32BE(6 + body.length, 0)
  return Buffer.concat([head, body])
}

function reflect(): (bytes: Uint8Array) => Uint8Array {
  let seen = ''
  const listen = rewriteFrame(challenge!, (body) => {
    seen = String(body.proof)
  })
  const answer = rewriteFrame(proof!, (body) => Object.assign(body, { proof: seen }))
  return (bytes) => {
    if (bytes[4] === challenge) listen(bytes)
    return bytes[4] === proof ? answer(bytes) : bytes
  }
}

test('the recorded handshake of another connection opens nothing', async () => {
  const recorded = sessionPair(keyed())
  assert.equal(await recorded.connect(), 'ready')
  await recorded.echo('pay 100')
  const [end, again] = [memoryPipe(), sessionPair(keyed())]
  const served: unknown[] = []
  const dispatcher = { instance: 'i', methods: [], serve: async () => served.push(1) }
  const options = { limits: defaultLimits, clock: new FakeClock(), keys: ring(may) }
  const server = new ServerSession(end, dispatcher, options, 'c', { onIdle() {}, onClosed() {} })
  for (const { to, bytes } of recorded.sent) if (to === 'server') end.receive(bytes)
  assert.equal(server.peer, undefined)
  assert.deepEqual(served, [])
  assert.equal(end.state, 'ended')
  // And the server's side, to a client.
  const ready = again.client.handshake().catch((error: { code: string }) => error.code)
  for (const { to, bytes } of recorded.sent) if (to === 'client') again.toServer.receive(bytes)
  assert.equal(await ready, 'UNAUTHENTICATED')
})

test('frames out of their order in a handshake end it', async () => {
  const frame = (type: number, body: object) => {
    const text = Buffer.from(JSON.stringify(body))
    const head = Buffer.from([0, 0, 0, 0, type, 0, 0, 0, 0, 0])
    head.writeUInt32BE(6 + text.length, 0)
    return Buffer.concat([head, text])
  }
  const wishes = {
    covey: 1,
    newest: 2,
    codecs: ['msgpack'],
    maxFrameBytes: 4096,
    streamWindowBytes: 4096,
  }
  const key = { id: 'may', nonce: 'ab'.repeat(32) }
  const sequences = [
    [frame(proof!, { proof: 'ab'.repeat(32) })],
    [frame(hello!, { ...wishes, key }), frame(hello!, { ...wishes, key })],
    [frame(hello!, { ...wishes, key }), frame(proof!, {})],
    [frame(hello!, { ...wishes, key }), frame(proof!, { proof: 'ab'.repeat(32) })],
    [frame(hello!, { ...wishes, key: 'may' })],
    [frame(hello!, { ...wishes, key: { id: 'may', nonce: 'ab' } })],
    [frame(hello!, { ...wishes, key: { id: 7, nonce: 'ab'.repeat(32) } })],
    [frame(challenge!, {})],
    // A key in a hello of version 1, which has none.
    [frame(hello!, { ...wishes, newest: undefined, key })],
  ]
  for (const [index, frames] of sequences.entries()) {
    const end = memoryPipe()
    const dispatcher = { instance: 'i', methods: [], serve: async () => {} }
    const options = { limits: defaultLimits, clock: new FakeClock(), keys: ring(may) }
    const server = new ServerSession(end, dispatcher, options, 'c', { onIdle() {}, onClosed() {} })
    for (const bytes of frames) end.receive(bytes)
    assert.equal(end.state, 'ended', `sequence ${index}`)
    assert.equal(server.peer, undefined)
  }
})

test('a server of version 1 is no server for a client with keys, or one that wants sums', async () => {
  const first = '{"covey":1,"codec":"msgpack","instance":"old","maxFrameBytes":65536,"methods":[]}'
  const cases = [
    [{ keys: ring(may) }, 'UNAUTHENTICATED', /speaks version 1 of the protocol, without keys/],
    [{ integrity: 'crc32c' }, 'PROTOCOL_ERROR', /protocol version 1.* offers integrity none/],
  ] as const
  for (const [client, code, message] of cases) {
    const pair = sessionPair({ client })
    const ready = pair.client.handshake()
    const body = Buffer.from(first)
    const head = Buffer.from([0, 0, 0, 6 + body.length, welcome!, 0, 0, 0, 0, 0])
    pair.toServer.receive(Buffer.concat([head, body]))
    await assert.rejects(ready, { code, message })
  }
})
