import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { mkdtempDisposable } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
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
const common = [
  'null_is_as_good_as_missing',
  'json_is_spoken',
  'timestamps_are_cut_to_milliseconds_that_had_passed',
  'a_body_that_cannot_be_read_fails_its_call_alone',
  'values_survive',
  'a_server_stream_obeys_credit',
  'cancel_reaches_the_handler',
]
const two = ['duplex_goes_both_ways', 'work_outlives_its_connection', 'baggage_travels']

interface Case {
  readonly name: string
  /** @param folder for files */
  readonly runtime?: (folder: string) => RuntimeOptions
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
    runtime: () => ({ keys: createKeyRing([{ id: 'may', secret }]) }),
    args: ['--key', 'may'],
    held: [...common, ...two, 'a_forged_frame_ends_the_connection', 'keys_are_demanded'],
  },
  {
    name: 'with the secret that its key had before',
    runtime: changedKey,
    args: ['--key', 'may'],
    held: [...common, ...two, 'a_forged_frame_ends_the_connection', 'keys_are_demanded'],
  },
]

/** A key that is being changed: the client has the secret of before. */
function changedKey(folder: string): RuntimeOptions {
  const secretFile = join(folder, 'may')
  writeFileSync(secretFile, `the newest secret, which is another one\n${secret}\n`, { mode: 0o600 })
  return { keys: createKeyRing([{ id: 'may', secretFile }]) }
}

for (const { name, runtime: options, args = [], held } of cases) {
  test(`a client in Python speaks with our server ${name}`, {
    skip: noPython,
    timeout: 60_000,
  }, async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'covey-interop-'))
    const wishes = options?.(folder.path)
    await using runtime = createRuntime({ registry: new MemoryRegistry(), ...wishes })
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
