import assert from 'node:assert/strict'
import { chmod, mkdtemp, rename, rm, unlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { fromHex, toHex } from '../../base/hex.ts'
import { FakeClock } from '../../testing/fake-clock.ts'
import { RecordingLog } from '../../testing/recording-log.ts'
import { sessionPair } from '../../testing/session-pair.ts'
import { until } from '../../testing/until.ts'
import { agree } from '../session/key-auth.ts'
import { createKeyRing, type LiveKeyRing, overlapMs } from './create-key-ring.ts'
import { followKeyFiles } from './follow-key-files.ts'

const one = 'sesame-one-0123456789-0123456789'
const two = 'sesame-two-0123456789-0123456789'
const three = 'sesame-three-0123456789-012345678'

async function withFolder(use: (path: (name: string) => string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'covey-key-files-'))
  try {
    await use((name) => join(folder, name))
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** Puts a file in place at once, as tools do. */
async function put(path: string, lines: readonly string[], mode = 0o600): Promise<void> {
  await writeFile(`${path}.new`, lines.join('\n'))
  await chmod(`${path}.new`, mode)
  await rename(`${path}.new`, path)
}

async function ringOf(path: string, ...lines: string[]): Promise<LiveKeyRing> {
  await put(path, lines)
  return createKeyRing([{ id: 'fleet', secretFile: path }])
}

/** Whether two processes take one another: as client and server, and the other way round. */
async function meet(left: LiveKeyRing, right: LiveKeyRing): Promise<string> {
  const both = [
    { client: { keys: left }, server: { keys: right } },
    { client: { keys: right }, server: { keys: left } },
  ].map(async (options) => {
    const pair = sessionPair(options)
    const outcome = await pair.connect()
    // A call shows that both seal with the same secret.
    return outcome === 'ready' ? await pair.echo('ok') : outcome.split(':')[0]
  })
  return (await Promise.all(both)).join(' ')
}

const [taken, refused] = ['"ok" "ok"', 'UNAUTHENTICATED UNAUTHENTICATED']

test('a new secret is used, and the one before is accepted for a day', () =>
  withFolder(async (path) => {
    const ring = await ringOf(path('k'), one)
    const [stale, fresh] = [await ringOf(path('stale'), one), await ringOf(path('fresh'), two)]
    assert.deepEqual(await ring.refresh(0), { changed: [], problems: new Map() })
    assert.equal(await meet(ring, fresh), refused)
    await put(path('k'), [two])
    assert.deepEqual((await ring.refresh(1_000)).changed, ['fleet'])
    assert.equal(await meet(ring, fresh), taken)
    assert.equal(await meet(ring, stale), taken)
    assert.deepEqual((await ring.refresh(999 + overlapMs)).changed, [])
    assert.equal(await meet(ring, stale), taken)
    assert.deepEqual((await ring.refresh(1_000 + overlapMs)).changed, [])
    assert.equal(await meet(ring, stale), refused)
    assert.equal(await meet(ring, fresh), taken)
  }))

test('two that both have the old and the new secret use the new one', () =>
  withFolder(async (path) => {
    const [left, right] = [await ringOf(path('l'), one), await ringOf(path('r'), one)]
    for (const name of ['l', 'r']) await put(path(name), [two])
    for (const ring of [left, right]) await ring.refresh(0)
    const pair = sessionPair({ client: { keys: left }, server: { keys: right } })
    assert.equal(await pair.connect(), 'ready')
    const [hello, challenge, proof] = [1, 16, 17].map((type) => {
      const { bytes } = pair.sent.find((frame) => frame.bytes[4] === type)!
      return bytes.subarray(10, Buffer.from(bytes).readUInt32BE(0) + 4)
    })
    const json = (bytes?: Uint8Array) => JSON.parse(Buffer.from(bytes!).toString())
    assert.match(json(challenge).previousProof, /^[0-9a-f]{64}$/)
    const key = createKeyRing([{ id: 'fleet', secret: two }]).first()
    const nonces = [json(hello).key.nonce, json(challenge).nonce].map((hex) => fromHex(hex)!)
    const agreement = agree(left.crypto, key, nonces[0]!, nonces[1]!)
    assert.equal(json(proof).proof, toHex(agreement.clientProof(hello!, challenge!)))
    for (const ring of [left, right]) await ring.refresh(overlapMs)
    assert.equal(await pair.echo('still'), '"still"')
    assert.equal(await meet(left, right), taken)
  }))

test('a second line is the secret before, for as long as it stands there', () =>
  withFolder(async (path) => {
    const ring = await ringOf(path('k'), two, one, '', '')
    const [stale, fresh] = [await ringOf(path('stale'), one), await ringOf(path('fresh'), two)]
    await ring.refresh(10 * overlapMs)
    assert.equal(await meet(ring, stale), taken)
    assert.equal(await meet(ring, fresh), taken)
    await put(path('k'), [two])
    assert.deepEqual((await ring.refresh(0)).changed, ['fleet'])
    assert.equal(await meet(ring, stale), refused)
    await put(path('k'), [three, one])
    await ring.refresh(0)
    assert.equal(await meet(ring, stale), taken)
    assert.equal(await meet(ring, fresh), refused)
  }))

test('a file that cannot be used leaves its key as it was, and the others are taken over', () =>
  withFolder(async (path) => {
    await put(path('a'), [one])
    await put(path('b'), [one])
    const ring = createKeyRing([
      { id: 'a', secretFile: path('a') },
      { id: 'b', secretFile: path('b') },
    ])
    const salt = new Uint8Array(64)
    const before = ring.find('a')!.extract(salt)
    const wrong: [change: () => Promise<void>, message: RegExp][] = [
      [() => put(path('a'), [two], 0o640), /key "a": others may read .*\(mode 0640\); run: chmod/],
      [() => put(path('a'), ['sesame']), /key "a" has 6 characters/],
      [() => put(path('a'), ['']), /key "a" has 0 characters/],
      [() => put(path('a'), [two, 'sesame']), /key "a" has 6 characters/],
      [() => put(path('a'), [two, one, three]), /key "a": .* has 3 lines/],
      [() => put(path('a'), [two.repeat(200)]), /more than 4096 bytes/],
      [() => unlink(path('a')), /key "a": ENOENT/],
    ]
    for (const [index, [change, message]] of wrong.entries()) {
      await change()
      await put(path('b'), [`${two}${index}`])
      const { changed, problems } = await ring.refresh(index)
      assert.deepEqual(changed, ['b'])
      assert.deepEqual([...problems.keys()], ['a'])
      assert.match(problems.get('a')!.message, message)
      assert.doesNotMatch(inspect(problems, { depth: 9 }), /sesame/)
      assert.deepEqual(ring.find('a')!.extract(salt), before)
    }
    await put(path('a'), [two])
    assert.deepEqual(await ring.refresh(9), { changed: ['a'], problems: new Map() })
  }))

test('a secret before that is over is over though the file cannot be read', () =>
  withFolder(async (path) => {
    const ring = await ringOf(path('k'), one)
    const stale = await ringOf(path('stale'), one)
    await put(path('k'), [two])
    await ring.refresh(0)
    await unlink(path('k'))
    await ring.refresh(overlapMs)
    assert.equal(await meet(ring, stale), refused)
  }))

test('keys that are replaced while files are read stay as they were replaced', () =>
  withFolder(async (path) => {
    const ring = await ringOf(path('k'), one)
    await put(path('k'), [two])
    const looking = ring.refresh(0)
    ring.replace([{ id: 'other', secret: three }])
    assert.deepEqual((await looking).changed, [])
    assert.deepEqual(ring.ids, ['other'])
    assert.deepEqual(await ring.refresh(0), { changed: [], problems: new Map() })
  }))

test('files are looked at every 5 seconds; what is wrong is told once, what is new as well', () =>
  withFolder(async (path) => {
    const [clock, log] = [new FakeClock(), new RecordingLog()]
    const ring = await ringOf(path('k'), one)
    const following = followKeyFiles(ring, { clock, log })
    const lines = () =>
      log.lines.map(({ level, fields, message }) => `${level} ${fields.key}: ${message}`)
    await unlink(path('k'))
    await clock.advance(4_999)
    assert.deepEqual(lines(), [])
    await clock.advance(1)
    await until(() => log.lines.length === 1, 'the missing file is told')
    const before = ring.find('fleet')
    for (let look = 0; look < 5; look++) {
      await clock.advance(5_000)
      await ring.refresh(0)
    }
    // A look that still goes on, at a real file, takes the place of the next one.
    const lookUntil = (done: () => boolean, what: string) =>
      until(async () => {
        await clock.advance(5_000)
        return done()
      }, what)
    await put(path('k'), [two])
    await lookUntil(() => ring.find('fleet') !== before, 'the new secret is used')
    await until(() => log.lines.length === 2, 'the new secret is told')
    await unlink(path('k'))
    await lookUntil(() => log.lines.length === 3, 'the file that is missing again is told')
    const problem = 'error fleet: the file of a key cannot be used; the last good secret stays'
    assert.deepEqual(lines(), [problem, 'info fleet: a key has a new secret', problem])
    assert.doesNotMatch(inspect(log.lines, { depth: 9 }), /sesame/)
    await following[Symbol.asyncDispose]()
    assert.equal(clock.waiting, 0)
  }))
