import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { buildWeb } from './build-web.ts'
import { createFixtureTree } from './fixture-tree.ts'

test('builds when a source has changed or the page is gone, and only then', async () => {
  using tree = createFixtureTree({
    'apps/chat/web/main.ts': '1',
    'apps/chat/contracts/a.ts': '1',
    'apps/chat/user/service.ts': '1',
  })
  let built = 0
  const bundle = async () => {
    built++
    tree.write('apps/chat/web/dist/index.html', '')
  }
  const build = async () => {
    await buildWeb(tree.root, bundle)
    return built
  }
  assert.equal(await build(), 1)
  assert.equal(await build(), 1, 'nothing has changed')
  tree.write('apps/chat/user/service.ts', '2')
  tree.write('apps/chat/web/main.test.ts', '2')
  assert.equal(await build(), 1, 'nothing of the page has changed')
  tree.write('apps/chat/contracts/a.ts', '2')
  assert.equal(await build(), 2)
  rmSync(join(tree.root, 'apps/chat/web/dist'), { recursive: true })
  assert.equal(await build(), 3)
})

test('a failed build is tried again', async () => {
  using tree = createFixtureTree({ 'apps/chat/web/main.ts': '1' })
  const fail = () => Promise.reject(new Error('no'))
  await assert.rejects(buildWeb(tree.root, fail), /no/)
  await assert.rejects(buildWeb(tree.root, fail), /no/)
})
