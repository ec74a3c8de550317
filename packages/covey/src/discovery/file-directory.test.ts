import assert from 'node:assert/strict'
import * as fs from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { silentLog } from '../observe/log.ts'
import { until } from '../testing/until.ts'
import { FileDirectory } from './file-directory.ts'

const root = await fs.mkdtemp(join(tmpdir(), 'covey-directory-'))
after(() => fs.rm(root, { recursive: true, force: true }))

test('a directory is made by who writes, in any depth, and not by who reads', async () => {
  const path = join(root, 'deep', 'registry')
  const directory = new FileDirectory(path, silentLog)
  assert.deepEqual(await directory.list(), [])
  await assert.rejects(fs.stat(join(root, 'deep')), { code: 'ENOENT' })
  await directory.write('a.json', 'text')
  assert.deepEqual(await directory.list(), ['a.json'])
  assert.equal(await directory.read('a.json'), 'text')
  await directory.remove('a.json')
  await directory.remove('a.json')
  assert.deepEqual(await directory.list(), [])
})

test('changes are told also of a directory that took the place of another one', async () => {
  const path = join(root, 'observed')
  const directory = new FileDirectory(path, silentLog)
  const heard = new Set<string>()
  directory.observe((event, name) => heard.add(`${event} ${name}`))
  const moves = [
    async () => {},
    () => fs.rename(path, `${path}-away`),
    () => fs.rm(path, { recursive: true }),
  ]
  for (const [round, goAway] of moves.entries()) {
    heard.clear()
    await goAway()
    if (round > 0) await until(() => heard.size > 0, 'the directory itself went away')
    await fs.mkdir(path)
    await directory.list()
    await directory.write(`${round}.json`, 'text')
    await until(() => heard.has(`names ${round}.json`), 'a file came')
    await directory.touch(`${round}.json`, 5_000)
    await until(() => heard.has(`beat ${round}.json`), 'a file has a new time')
  }
  directory.close()
  heard.clear()
  await directory.write('late.json', 'text')
  await directory.list()
  assert.deepEqual(heard, new Set())
})

test('a beat is a text that changes with the time of a file and with the file', async () => {
  const directory = new FileDirectory(join(root, 'beats'), silentLog)
  await directory.write('a.json', 'text')
  await directory.touch('a.json', 1_000)
  const beat = await directory.beatOf('a.json')
  assert.equal(await directory.beatOf('a.json'), beat)
  await directory.touch('a.json', 1_001)
  assert.notEqual(await directory.beatOf('a.json'), beat)
  await directory.write('a.json', 'text')
  await directory.touch('a.json', 1_000)
  assert.notEqual(await directory.beatOf('a.json'), beat, 'another file with the same time')
})
