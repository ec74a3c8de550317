import assert from 'node:assert/strict'
import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { ensureChromium } from './ensure-chromium.ts'
import { createFixtureTree } from './fixture-tree.ts'

const never = () => assert.fail('nothing needs to be installed')

test('takes the named one, or the first on the PATH', async () => {
  using tree = createFixtureTree({ 'a/chromium': '', 'b/google-chrome': '' })
  const [first, second] = ['a/chromium', 'b/google-chrome'].map((path) => join(tree.root, path))
  chmodSync(second ?? '', 0o755)
  const env = { PATH: `${tree.root}/a:${tree.root}/b` }
  assert.deepEqual(await ensureChromium({ env, install: never }), { path: second })
  const named = { ...env, CHROMIUM_PATH: first }
  assert.deepEqual(await ensureChromium({ env: named, install: never }), { path: first })
})

test('installs a missing one', async () => {
  using tree = createFixtureTree({})
  const install = async () => {
    tree.write('chromium', '')
    chmodSync(join(tree.root, 'chromium'), 0o755)
    return undefined
  }
  const result = await ensureChromium({ env: { PATH: tree.root }, install })
  assert.deepEqual(result, { path: join(tree.root, 'chromium') })
})

test('says why there is none', async () => {
  const install = async () => 'no apt-get'
  assert.deepEqual(await ensureChromium({ env: {}, install }), { missing: 'no apt-get' })
})
