import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  createApp,
  createKeyRing,
  createRuntime,
  MemoryRegistry,
  type RuntimeOptions,
} from '../../src/index.ts'
import { interopService } from './interop-service.ts'
import { noPython, outcome, python } from './python.ts'

const secret = 'a secret that is long enough to be taken'
const common = ['values_survive', 'a_server_stream_obeys_credit', 'cancel_reaches_the_handler']
const two = ['duplex_goes_both_ways', 'work_outlives_its_connection', 'baggage_travels']

interface Case {
  readonly name: string
  readonly runtime?: RuntimeOptions
  readonly args?: readonly string[]
  /** Some of the checks that have to be among those that held. */
  readonly held: readonly string[]
}

const cases: readonly Case[] = [
  { name: 'in the open', held: [...common, ...two] },
  {
    name: 'in version 1',
    args: ['--version', '1'],
    held: common,
  },
  {
    name: 'with CRC-32C',
    args: ['--integrity', 'crc32c'],
    held: [...common, ...two, 'a_forged_frame_ends_the_connection'],
  },
  {
    name: 'with a key',
    runtime: { keys: createKeyRing([{ id: 'may', secret }]) },
    args: ['--key', 'may'],
    held: [...common, ...two, 'a_forged_frame_ends_the_connection', 'keys_are_demanded'],
  },
]

for (const { name, runtime: options, args = [], held } of cases) {
  test(`a client in Python speaks with our server ${name}`, {
    skip: noPython,
    timeout: 60_000,
  }, async () => {
    await using runtime = createRuntime({ registry: new MemoryRegistry(), ...options })
    await using app = createApp({
      name: 'interop',
      services: [interopService()],
      runtime,
      ownsProcess: false,
      overrides: { covey: { logLevel: 'silent' } },
    })
    await app.start()
    const port = new URL(app.address.replace('tcp:', 'http:')).port
    const { code, said } = await outcome(python('client_checks.py', [port, ...args], secret))
    assert.equal(code, 0, said)
    for (const check of held) assert.match(said, new RegExp(`^held ${check}$`, 'm'))
    assert.doesNotMatch(said, /^failed/m)
  })
}
