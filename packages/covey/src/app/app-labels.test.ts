import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryRegistry } from '../discovery/memory-registry.ts'
import { createRuntime } from '../rpc/runtime.ts'
import type { AppOptions } from './app.ts'
import { createApp } from './create-app.ts'

async function announced(options: Partial<AppOptions>, settings: object = {}) {
  await using runtime = createRuntime({ registry: new MemoryRegistry() })
  await using app = createApp({
    name: 'users',
    runtime,
    ownsProcess: false,
    ...options,
    overrides: { covey: { logLevel: 'silent', drainWaitMs: 0, ...settings } },
  })
  await app.start()
  const { group, version, zone, tags, weight } = app.instance
  return { group, version, zone, tags, weight }
}

const none = { group: undefined, version: undefined, zone: undefined, tags: undefined, weight: 1 }
const labels = { group: 'canary', version: '2.1.0', zone: 'eu', tags: ['gpu'], weight: 5 }

test('an application that says nothing has a weight of 1 and nothing else', async () => {
  assert.deepEqual(await announced({}), none)
})

test('it is announced with what the code says', async () => {
  assert.deepEqual(await announced(labels), labels)
})

test('what the settings say wins, each by itself', async () => {
  const settings = { group: 'blue', tags: [], weight: 0 }
  assert.deepEqual(await announced(labels, settings), { ...labels, ...settings })
  assert.deepEqual(await announced({}, { zone: 'us', version: '3' }), {
    ...none,
    zone: 'us',
    version: '3',
  })
})

test('a label that cannot be one stops the start, naming it', async () => {
  await assert.rejects(announced({ group: 'x'.repeat(101) }), {
    code: 'INVALID_INPUT',
    message: 'instance: group: expected text of up to 100 characters, or nothing',
  })
})
