import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rewriteFrame, type SessionPair, sessionPair } from '../../testing/session-pair.ts'
import type { KeyMode, LinkOptions } from '../link-options.ts'
import { createKeyRing } from '../tcp/create-key-ring.ts'
import type { UnprovedPeer } from '../unproved-peers.ts'

const may = createKeyRing([{ id: 'may', secret: 'sesame-of-may-0123456789-0123456789' }])
const other = createKeyRing([{ id: 'may', secret: 'sesame-of-nobody-0123456789-012345' }])
const june = createKeyRing([{ id: 'june', secret: 'sesame-of-june-0123456789-0123456789' }])

const modes: readonly KeyMode[] = ['strict', 'permissive']
const [hello, welcome, challenge, proof] = [1, 2, 16, 17] as const

/** What an end has heard of peers without a key. */
class Heard {
  readonly peers: UnprovedPeer[] = []
  open = 0

  add(peer: UnprovedPeer): () => void {
    this.peers.push(peer)
    this.open += 1
    return () => {
      this.open -= 1
    }
  }
}

interface Outcome {
  readonly pair: SessionPair
  readonly connected: string
  /** Whether a call had its answer, and how it went. */
  readonly call: 'sealed, as key:may' | 'open, as nobody' | 'refused'
  readonly heard: { readonly client: Heard; readonly server: Heard }
}

async function meet(
  client: LinkOptions,
  server: LinkOptions,
  tamper?: (bytes: Uint8Array) => Uint8Array,
): Promise<Outcome> {
  const heard = { client: new Heard(), server: new Heard() }
  const pair = sessionPair({
    client: { ...client, unproved: heard.client },
    server: { ...server, unproved: heard.server },
    ...(tamper && { tamper }),
  })
  const connected = await pair.connect()
  pair.sent.length = 0
  if ((await pair.echo('ok')) !== '"ok"') return { pair, connected, call: 'refused', heard }
  const { bytes } = pair.sent.find(({ to }) => to === 'client')!
  // Head of the frame, "ok", and where it is sealed 16 bytes.
  const sealed = bytes.length === 10 + 3 + 16
  assert.ok(sealed || bytes.length === 10 + 3)
  const subject = pair.seen.peer?.identity?.subject ?? 'nobody'
  const call = `${sealed ? 'sealed' : 'open'}, as ${subject}` as Outcome['call']
  return { pair, connected, call, heard }
}

for (const clientMode of modes) {
  for (const serverMode of modes) {
    const both = clientMode === 'permissive' && serverMode === 'permissive'
    const open = (lenient: boolean) => (lenient ? 'open, as nobody' : 'refused')
    const cases: [what: string, LinkOptions, LinkOptions, Outcome['call']][] = [
      ['the same key', { keys: may }, { keys: may }, 'sealed, as key:may'],
      ['another secret', { keys: other }, { keys: may }, open(both)],
      ['a key that the server does not know', { keys: june }, { keys: may }, open(both)],
      ['a client without keys', {}, { keys: may }, open(serverMode === 'permissive')],
      ['a server without keys', { keys: may }, {}, open(clientMode === 'permissive')],
    ]
    for (const [what, client, server, expected] of cases) {
      test(`${clientMode} client, ${serverMode} server, ${what}: ${expected}`, async () => {
        const outcome = await meet(
          { ...client, keyMode: clientMode },
          { ...server, keyMode: serverMode },
        )
        assert.equal(outcome.call, expected, outcome.connected)
        if (expected === 'refused') assert.match(outcome.connected, /^UNAUTHENTICATED: .*key/)
        const { heard, pair } = outcome
        const counted = [heard.client.open, heard.server.open]
        const offered = (own: LinkOptions) => (own.keys === undefined ? 0 : 1)
        const unproved = expected === 'open, as nobody' ? 1 : 0
        assert.deepEqual(counted, [unproved * offered(client), unproved * offered(server)])
        await pair.client.close()
        pair.toClient.disconnect()
        assert.deepEqual([heard.client.open, heard.server.open], [0, 0])
        assert.doesNotMatch(JSON.stringify([heard, outcome.connected]), /sesame/)
      })
    }
  }
}

test('each end knows who proved nothing, and why', async () => {
  const permissive = { keyMode: 'permissive' } as const
  const whys = async (client: LinkOptions, server: LinkOptions) => {
    const { heard } = await meet({ ...permissive, ...client }, { ...permissive, ...server })
    return [...heard.client.peers, ...heard.server.peers].map(({ role, why }) => `${role}: ${why}`)
  }
  const [secret] = await whys({ keys: other }, { keys: may })
  assert.match(secret!, /^server: the server does not have the secret of key "may"/)
  const [, unknown] = await whys({ keys: june }, { keys: may })
  assert.match(unknown!, /^client: key "june" is not known here/)
  assert.match((await whys({}, { keys: may }))[0]!, /^client: .* the client proved no key/)
  assert.match((await whys({ keys: may }, {}))[0]!, /^server: instance i did not prove/)
})

test('where keys are missing frames have sums, if those were asked for', async () => {
  const wishes = { keyMode: 'permissive', integrity: 'crc32c' } as const
  for (const keys of [june, other, undefined]) {
    // What the server does itself, where keys are proved, does not matter.
    for (const integrity of ['crc32c', 'hmac'] as const) {
      const pair = sessionPair({
        client: { ...(keys ? { ...wishes, keys } : { integrity: 'crc32c' }) },
        server: { ...wishes, integrity, keys: may },
      })
      assert.equal(await pair.connect(), 'ready')
      pair.sent.length = 0
      assert.equal(await pair.echo('ok'), '"ok"')
      assert.equal(pair.sent.find(({ to }) => to === 'client')!.bytes.length, 10 + 3 + 4)
    }
  }
})

/** What somebody in the middle can do to turn a handshake with keys into one without. */
const downgrades: [title: string, tamper: (bytes: Uint8Array) => Uint8Array][] = [
  ['takes the key out of the hello', rewriteFrame(hello, (body) => delete body.key)],
  ['makes it a hello of version 1', rewriteFrame(hello, (body) => delete body.newest)],
  ['names a key that nobody has', rewriteFrame(hello, (body) => setKeyId(body))],
  [
    'spoils the proof of the server',
    rewriteFrame(challenge, (body) => Object.assign(body, { proof: 'ab' })),
  ],
  [
    'empties the proof of the client',
    rewriteFrame(proof, (body) => Object.assign(body, { proof: '' })),
  ],
]

function setKeyId(body: Record<string, unknown>): void {
  Object.assign(body.key as object, { id: 'none' })
}

for (const [title, tamper] of downgrades) {
  for (const strict of ['client', 'server'] as const) {
    test(`a man in the middle who ${title} gets nothing where the ${strict} is strict`, async () => {
      const [lenient, demanding] = [
        { keys: may, keyMode: 'permissive' } as const,
        { keys: may, keyMode: 'strict' } as const,
      ]
      const { call, pair, connected } = await meet(
        strict === 'client' ? demanding : lenient,
        strict === 'server' ? demanding : lenient,
        tamper,
      )
      assert.equal(call, 'refused')
      assert.notEqual(connected, 'ready')
      assert.deepEqual(pair.seen.inputs, [])
    })
  }
}

test('where both are permissive, whoever takes the key out of the hello reads and writes as he likes', async () => {
  const permissive = { keys: may, keyMode: 'permissive' } as const
  const { call, heard } = await meet(permissive, permissive, downgrades[0]![1])
  // So `docs/security.md` says; and it shows in the log.
  assert.equal(call, 'open, as nobody')
  assert.deepEqual([heard.client.open, heard.server.open], [1, 1])
})

test('a server that demands no key takes an empty proof once, and no second challenge is answered', async () => {
  const permissive = { keys: other, keyMode: 'permissive' } as const
  let seen: Uint8Array | undefined
  const { connected } = await meet(permissive, { keys: may, keyMode: 'permissive' }, (bytes) => {
    if (bytes[4] === challenge) seen = bytes
    return bytes[4] === welcome && seen ? seen : bytes
  })
  assert.match(connected, /^PROTOCOL_ERROR: a challenge that was not asked for/)
})
