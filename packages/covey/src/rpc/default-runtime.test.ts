import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const script = fileURLToPath(new URL('../testing/fixtures/two-registries.ts', import.meta.url))

/** What a process says that asks for its runtime twice: there is only one in a process, so each needs its own. */
async function ask(
  first: string,
  second: string,
  env: Record<string, string> = {},
): Promise<string> {
  const { COVEY__REGISTRY: _, ...rest } = process.env
  const { stdout } = await promisify(execFile)(process.execPath, [script, first, second], {
    env: { ...rest, ...env },
    timeout: 20_000,
  })
  return stdout.trim()
}

test('a process has one runtime, for all who ask', async () => {
  assert.deepEqual(
    await Promise.all([
      ask('-', '-'),
      ask('memory:', '-'),
      ask('-', 'file:.covey/registry'),
      ask('memory:', 'memory:'),
    ]),
    ['the same', 'the same', 'the same', 'the same'],
  )
})

test('a second registry is refused, saying which is in use', async () => {
  assert.equal(
    await ask('memory:', 'file:other'),
    'START_FAILED: registry file:other: this process uses memory: already; call nothing before the app is started',
  )
})

test('a process that names no registry uses that of its environment', async () => {
  const env = { COVEY__REGISTRY: 'file:/tmp/given' }
  const answers = await Promise.all([
    ask('-', 'memory:', env),
    ask('-', 'file:/tmp/given', env),
    ask('memory:', 'memory:', env),
  ])
  assert.match(answers[0]!, /this process uses file:\/tmp\/given already/)
  assert.deepEqual(answers.slice(1), ['the same', 'the same'])
})
