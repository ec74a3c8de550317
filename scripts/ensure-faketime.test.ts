import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ensureFaketime } from './ensure-faketime.ts'

const never = () => Promise.reject(new Error('nothing is to be installed'))

test('a library that was named is taken as it is, otherwise the one that is there', async () => {
  const env = { COVEY_FAKETIME: '/my/libfaketime.so' }
  const named = await ensureFaketime({ env, find: () => '/usr/lib/it', install: never })
  assert.deepEqual(named, { path: '/my/libfaketime.so' })
  const found = await ensureFaketime({ env: {}, find: () => '/usr/lib/it', install: never })
  assert.deepEqual(found, { path: '/usr/lib/it' })
})

test("otherwise Debian's is installed, or it says why not", async () => {
  let installed = false
  const install = async () => {
    installed = true
    return undefined
  }
  const find = () => (installed ? '/usr/lib/it' : undefined)
  assert.deepEqual(await ensureFaketime({ env: {}, find, install }), { path: '/usr/lib/it' })
  const none = { env: {}, find: () => undefined, install: async () => 'no apt-get here' }
  assert.deepEqual(await ensureFaketime(none), { missing: 'no apt-get here' })
})
