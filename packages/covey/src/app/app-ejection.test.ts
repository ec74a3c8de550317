import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRuntime } from '../rpc/runtime.ts'
import { createApp } from './create-app.ts'

async function policyWith(ejection: object, own: object = {}) {
  await using runtime = createRuntime({ registry: 'memory:', ejection: own })
  const app = createApp({
    name: 'settings',
    runtime,
    ownsProcess: false,
    overrides: { covey: { logLevel: 'silent', ejection } },
  })
  await app.start()
  await app.stop()
  return { ...runtime.ejection }
}

const usual = {
  enabled: true,
  thresholdPercent: 10,
  baseMs: 5_000,
  maxMs: 60_000,
  maxPercent: 50,
}

test('the settings of an application say when its clients leave instances out', async () => {
  assert.deepEqual(await policyWith({}), usual)
  const all = { enabled: false, thresholdPercent: 5, baseMs: 200, maxMs: 300, maxPercent: 20 }
  assert.deepEqual(await policyWith(all), all)
})

test('what they do not say is as its runtime says', async () => {
  const own = { enabled: false, baseMs: 1_000 }
  assert.deepEqual(await policyWith({ baseMs: 2_000 }, own), { ...usual, ...own, baseMs: 2_000 })
})

test('values out of range are told with the others that are wrong', async () => {
  await assert.rejects(policyWith({ baseMs: 1, maxPercent: 51 }), {
    code: 'INVALID_SETTINGS',
    message: /covey\.ejection\.baseMs.*\n.*covey\.ejection\.maxPercent/,
  })
})
