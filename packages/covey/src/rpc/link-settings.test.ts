import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CoveyError } from '../error/covey-error.ts'
import { createKeyRing } from '../transport/tcp/create-key-ring.ts'
import { type LinkSettings, linkSettingsIn } from './link-settings.ts'
import { createRuntime } from './runtime.ts'

const keys = [{ id: 'may', secret: 'sesame-0123456789-0123456789-0123456789' }]

test('a runtime has the keys it was given, for all addresses but unix sockets', async () => {
  await using runtime = createRuntime({ registry: 'memory:', keys, compressAboveBytes: 1000 })
  assert.deepEqual(runtime.keys?.ids, ['may'])
  assert.equal(runtime.links('tcp://127.0.0.1:4100').keys?.first().id, 'may')
  assert.equal(runtime.links('tcp://127.0.0.1:4100').compressAboveBytes, 1000)
  const local = runtime.links('unix:/run/a.sock')
  assert.deepEqual(Object.keys(local), ['compression'])
  await using live = createRuntime({ registry: 'memory:', keys: createKeyRing(keys) })
  live.keys?.replace([{ ...keys[0]!, id: 'june' }])
  assert.equal(live.links('tcp://127.0.0.1:4100').keys?.first().id, 'june')
})

test('an application guards a runtime that nobody guarded, once', async () => {
  await using runtime = createRuntime({ registry: 'memory:' })
  runtime.guard({})
  assert.equal(runtime.links('tcp:').keys, undefined)
  runtime.guard({ keys: [{ ...keys[0]!, id: 'guess' }] }, false)
  runtime.guard({ keys })
  runtime.guard({ keys: [...keys] })
  assert.deepEqual(runtime.keys?.ids, ['may'])
  assert.throws(() => runtime.guard({ keys: [{ ...keys[0]!, id: 'june' }] }), {
    code: 'START_FAILED',
  })
  assert.throws(() => runtime.guard({ keys, integrity: 'none' }), { code: 'START_FAILED' })
  assert.deepEqual(runtime.keys?.ids, ['may'])
})

test('settings that cannot be are refused with what to do, without a secret', () => {
  const wrong: [LinkSettings, RegExp][] = [
    [{ integrity: 'hmac' }, /"hmac" needs covey.keys/],
    [{ integrity: 'md5' as 'none' }, /one of none, crc32c, hmac/],
    [{ keys, keyMode: 'lax' as 'strict' }, /keyMode: expected strict or permissive/],
    [{ keyMode: 'permissive' }, /keyMode: "permissive" needs covey\.keys/],
    [{ keyMode: 'strict' }, /keyMode: "strict" needs covey\.keys/],
    [{ compressAboveBytes: -1 }, /0 or more/],
    [{ compressAboveBytes: Number.NaN }, /0 or more/],
    [{ keys: [] }, /at least one key/],
    [{ keys: [{ id: 'k', secret: 'sesame' }] }, /6 characters/],
  ]
  for (const [settings, message] of wrong) {
    assert.throws(
      () => createRuntime({ registry: 'memory:', ...settings }),
      (error: CoveyError) => {
        assert.equal(error.code, 'INVALID_SETTINGS')
        assert.match(error.message, message)
        assert.doesNotMatch(error.message, /sesame/)
        return true
      },
    )
  }
})

test('variables give the same to processes without settings', () => {
  assert.deepEqual(linkSettingsIn({}), {
    keys: undefined,
    keyMode: undefined,
    tls: undefined,
    integrity: undefined,
    compressAboveBytes: undefined,
  })
  const files = { COVEY__TLS__CERT: 'c', COVEY__TLS__KEY: 'k', COVEY__TLS__CA: 'a' }
  assert.deepEqual(linkSettingsIn(files).tls, { cert: 'c', key: 'k', ca: 'a' })
  assert.throws(() => linkSettingsIn({ COVEY__TLS__CERT: 'c' }), /key and ca missing/)
  const env = {
    COVEY__KEYS: JSON.stringify(keys),
    COVEY__KEY_MODE: 'permissive',
    COVEY__INTEGRITY: 'crc32c',
    COVEY__COMPRESS_ABOVE_BYTES: '4096',
  }
  assert.deepEqual(linkSettingsIn(env), {
    keys,
    keyMode: 'permissive',
    tls: undefined,
    integrity: 'crc32c',
    compressAboveBytes: 4096,
  })
  for (const text of ['sesame', '[{"secret":"sesame', '{"id":"a"}']) {
    assert.throws(
      () => linkSettingsIn({ COVEY__KEYS: text }),
      (error: CoveyError) => {
        assert.equal(error.code, 'INVALID_SETTINGS')
        assert.doesNotMatch(String(error.stack), /sesame/)
        return true
      },
    )
  }
})
