import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { FakeClock } from '../../testing/fake-clock.ts'
import { RecordingLog } from '../../testing/recording-log.ts'
import { createTestAuthority, type TestCertificate } from '../../testing/test-authority.ts'
import { until } from '../../testing/until.ts'
import { openTlsFiles, type TlsPaths } from './tls-files.ts'

const authority = createTestAuthority()

async function withFolder(use: (paths: TlsPaths) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'covey-tls-'))
  const path = (name: string) => join(folder, `${name}.pem`)
  const paths = { cert: path('cert'), key: path('key'), ca: path('ca') }
  await writeFile(paths.ca, authority.ca)
  await put(paths, authority.issue({ spiffe: 'spiffe://fleet.test/one' }))
  try {
    await use(paths)
  } finally {
    await rm(folder, { recursive: true })
  }
}

async function put(paths: TlsPaths, { cert, key }: TestCertificate): Promise<void> {
  await writeFile(paths.cert, cert)
  await writeFile(paths.key, key)
}

test('new files are used at the next look, and told', () =>
  withFolder(async (paths) => {
    const clock = new FakeClock(Date.now())
    const log = new RecordingLog()
    await using files = await openTlsFiles(paths, { clock, log })
    const before = files.current
    let told = 0
    const forget = files.onChange(() => {
      told += 1
    })
    await put(paths, authority.issue({ spiffe: 'spiffe://fleet.test/two' }))
    await clock.advance(4_999)
    assert.equal(files.current, before)
    await clock.advance(1)
    await until(() => files.current !== before, 'the new certificate is used')
    assert.equal(told, 1)
    assert.deepEqual(log.messages('info'), ['new TLS certificate'])
    forget()
    await put(paths, authority.issue({ spiffe: 'spiffe://fleet.test/three' }))
    await clock.advance(5_000)
    await until(() => log.messages('info').length === 2, 'the third certificate is used')
    assert.equal(told, 1)
  }))

test('files that do not fit are reported once, and the last good ones stay', () =>
  withFolder(async (paths) => {
    const clock = new FakeClock(Date.now())
    const log = new RecordingLog()
    await using files = await openTlsFiles(paths, { clock, log })
    const before = files.current
    const next = authority.issue()
    await writeFile(paths.cert, next.cert)
    await clock.advance(5_000)
    await until(() => log.messages('error').length === 1, 'the half of a change is reported')
    await clock.advance(5_000)
    assert.equal(files.current, before)
    assert.equal(log.messages('error').length, 1)
    await writeFile(paths.key, next.key)
    // A look that still goes on, at real files, takes the place of the next one.
    await until(async () => {
      await clock.advance(5_000)
      return files.current !== before
    }, 'the whole change is used')
  }))

test('a file that is missing or wrong is named, at the start', () =>
  withFolder(async (paths) => {
    const options = { clock: new FakeClock(Date.now()), log: new RecordingLog() }
    await assert.rejects(openTlsFiles({ ...paths, key: `${paths.key}x` }, options), {
      code: 'INVALID_SETTINGS',
      message: /^covey\.tls\.key: ENOENT/,
    })
    await writeFile(paths.key, authority.issue().key)
    await assert.rejects(openTlsFiles(paths, options), {
      code: 'INVALID_SETTINGS',
      message: /^covey\.tls: the key is no private key in PEM, or not that of the certificate/,
    })
  }))

test('a certificate is warned of that ends within a day, also when that comes while it is used', () =>
  withFolder(async (paths) => {
    const log = new RecordingLog()
    const clock = new FakeClock(Date.now())
    const day = 24 * 3_600_000
    await put(paths, authority.issue({ notAfter: new Date(Date.now() + day + 60_000) }))
    await using _ = await openTlsFiles(paths, { clock, log })
    assert.deepEqual(log.lines, [])
    await clock.advance(70_000)
    assert.deepEqual(log.messages('warn'), ['the TLS certificate ends soon'])
  }))
