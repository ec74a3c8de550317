import assert from 'node:assert/strict'
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { findConfig, loadFleet } from './load-fleet.ts'

const supervisor = new URL('./index.ts', import.meta.url).href
const head = `import { defineFleet } from ${JSON.stringify(supervisor)}\n`

async function project(
  t: { after(run: () => Promise<void>): void },
  files: Record<string, string>,
) {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'covey-load-')))
  t.after(() => rm(folder, { recursive: true }))
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
  return folder
}

test('a config is found here, in a folder above, or where it is said to be', async (t) => {
  const folder = await project(t, { 'covey.config.ts': '', 'other.ts': '' })
  const inner = join(folder, 'a', 'b')
  await mkdir(inner, { recursive: true })
  assert.equal(await findConfig(folder), join(folder, 'covey.config.ts'))
  assert.equal(await findConfig(inner), join(folder, 'covey.config.ts'))
  assert.equal(await findConfig(inner, '../../other.ts'), join(folder, 'other.ts'))
})

test('where there is no config, the message says what to do', async (t) => {
  const folder = await project(t, {})
  await assert.rejects(findConfig(folder), {
    code: 'INVALID_SETTINGS',
    message: `no covey.config.ts in ${folder} or above; go to the project's folder or say --config <path>`,
  })
  await assert.rejects(findConfig(folder, 'x.ts'), {
    message: `there is no config file ${folder}/x.ts`,
  })
})

test('a good config is loaded with its folder', async (t) => {
  const text = `${head}export default defineFleet({ name: 'chat', processes: { user: { entry: 'user.ts' } } })`
  const folder = await project(t, { 'covey.config.ts': text, 'user.ts': '' })
  const loaded = await loadFleet(join(folder, 'covey.config.ts'))
  assert.equal(loaded.folder, folder)
  assert.equal(loaded.fleet.processes.user?.entry, 'user.ts')
})

test('a plain object is checked as well', async (t) => {
  const text =
    "export default { name: 'chat', processes: { user: { entry: 'user.ts', replicas: 0 } } }"
  const folder = await project(t, { 'covey.config.ts': text, 'user.ts': '' })
  await assert.rejects(
    loadFleet(join(folder, 'covey.config.ts')),
    /replicas: expected a whole number/,
  )
})

test('missing scripts are named with their path, together with all other problems', async (t) => {
  const text = `${head}export default defineFleet({ name: 'chat', processes: {
    user: { entry: 'user/main.ts', replica: 1 }, message: { entry: 'message.ts' }, gate: { entry: 'gate.ts' } } })`
  const folder = await project(t, { 'covey.config.ts': text, 'gate.ts': '' })
  await assert.rejects(loadFleet(join(folder, 'covey.config.ts')), {
    code: 'INVALID_SETTINGS',
    message: [
      `${folder}/covey.config.ts is wrong:`,
      'processes.user.replica: unknown key "replica", did you mean "replicas"?',
      `processes.user.entry: there is no file ${folder}/user/main.ts`,
      `processes.message.entry: there is no file ${folder}/message.ts`,
    ].join('\n  '),
  })
})

test('a config that cannot run, or exports nothing, says so in one line', async (t) => {
  const folder = await project(t, {
    'covey.config.ts': 'export default {',
    'throws.ts': "throw new Error('no disk')",
    'empty.ts': 'export {}',
  })
  await assert.rejects(loadFleet(join(folder, 'covey.config.ts')), {
    code: 'INVALID_SETTINGS',
    message: /^\S+covey.config.ts cannot be loaded: SyntaxError: [^\n]+$/,
  })
  await assert.rejects(loadFleet(join(folder, 'throws.ts')), /cannot be loaded: Error: no disk$/)
  await assert.rejects(
    loadFleet(join(folder, 'empty.ts')),
    /exports no fleet; write: export default/,
  )
})
