import assert from 'node:assert/strict'
import { test } from 'node:test'
import { frameworkSettings } from './framework-settings.ts'
import { loadSettings } from './load-settings.ts'

test('the framework runs embedded and on this machine only, when nothing is set', async () => {
  const { covey } = await loadSettings([frameworkSettings], { files: [], env: {} })
  assert.deepEqual(covey, {
    registry: 'file:.covey/registry',
    host: '127.0.0.1',
    advertise: undefined,
    listen: [],
    port: 0,
    keys: undefined,
    keyMode: undefined,
    tls: { cert: undefined, key: undefined, ca: undefined },
    integrity: undefined,
    compressAboveBytes: undefined,
    allowInsecure: false,
    http: { port: undefined, host: undefined, tls: undefined, dora: false },
    probe: { port: undefined, host: '127.0.0.1', blockedMs: 750, deadMs: 30_000 },
    logLevel: 'info',
    shutdownMs: 30_000,
    group: undefined,
    version: undefined,
    zone: undefined,
    tags: undefined,
    weight: undefined,
    drainWaitMs: 500,
    retry: {
      attempts: undefined,
      baseMs: undefined,
      maxMs: undefined,
      budgetPercent: undefined,
      minPerSecond: undefined,
    },
    ejection: {
      enabled: undefined,
      thresholdPercent: undefined,
      baseMs: undefined,
      maxMs: undefined,
      maxPercent: undefined,
    },
    admission: { enabled: undefined, maxWaitMs: 5_000 },
    results: { keepMs: 600_000, maxCount: 10_000, maxBytes: 67_108_864, maxRunning: 10_000 },
  })
})

test('variables of the framework begin with COVEY__; those with one underscore are none of its settings', async () => {
  const env = {
    COVEY__PORT: '4100',
    COVEY__LOG_LEVEL: 'debug',
    COVEY__REGISTRY: 'memory:',
    COVEY_DIR: '/srv/.covey',
    COVEY_PROCESS: 'user',
    COVEY_PORT: '99999',
  }
  const { covey } = await loadSettings([frameworkSettings], { files: [], env })
  assert.equal(covey.port, 4100)
  assert.equal(covey.logLevel, 'debug')
  assert.equal(covey.registry, 'memory:')
})

test('wrong values say what is expected', async () => {
  const env = { COVEY__PORT: '70000', COVEY__LOG_LEVEL: 'loud', COVEY__SHUTDOWN_MS: '30s' }
  await assert.rejects(loadSettings([frameworkSettings], { files: [], env }), {
    code: 'INVALID_SETTINGS',
    message: [
      '3 settings are wrong:',
      '  covey.port (COVEY__PORT): expected a whole number from 0 to 65535',
      '  covey.logLevel (COVEY__LOG_LEVEL): expected one of trace, debug, info, warn, error, silent',
      '  covey.shutdownMs (COVEY__SHUTDOWN_MS): expected a whole number from 0 to 3600000',
    ].join('\n'),
  })
})
