import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRuntime } from '../rpc/runtime.ts'
import { createApp } from './create-app.ts'

async function policyWith(retry: object, own: object = {}) {
  await using runtime = createRuntime({ registry: 'memory:', retry: own })
  const app = createApp({
    name: 'settings',
    runtime,
    ownsProcess: false,
    overrides: { covey: { logLevel: 'silent', retry } },
  })
  await app.start()
  await app.stop()
  return { ...runtime.retry.policy }
}

const usual = { attempts: 3, baseMs: 50, maxMs: 1_000, budgetPercent: 10, minPerSecond: 10 }

test('the settings of an application say how its clients repeat calls', async () => {
  assert.deepEqual(await policyWith({}), usual)
  const all = { attempts: 1, baseMs: 5, maxMs: 50, budgetPercent: 20, minPerSecond: 0 }
  assert.deepEqual(await policyWith(all), all)
})

test('what they do not say is as its runtime says', async () => {
  const own = { attempts: 5, budgetPercent: 1 }
  const expected = { ...usual, ...own, budgetPercent: 2 }
  assert.deepEqual(await policyWith({ budgetPercent: 2 }, own), expected)
})

test('values out of range are told with the others that are wrong', async () => {
  await assert.rejects(policyWith({ attempts: 0, budgetPercent: 200 }), {
    code: 'INVALID_SETTINGS',
    message: /covey\.retry\.attempts.*\n.*covey\.retry\.budgetPercent/,
  })
})
