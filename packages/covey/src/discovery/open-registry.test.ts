import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { after, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { systemClock } from '../base/clock.ts'
import { silentLog } from '../observe/log.ts'
import { ListReader } from '../testing/list-reader.ts'
import { sampleInstance } from '../testing/registry-suite.ts'
import { FileRegistry } from './file-registry.ts'
import { MemoryRegistry } from './memory-registry.ts'
import { openRegistry } from './open-registry.ts'

const options = { log: silentLog, clock: systemClock }
const directory = await mkdtemp(join(tmpdir(), 'covey-open-'))
after(() => rm(directory, { recursive: true }))

test('memory: is a new registry each time', async () => {
  await using first = await openRegistry('memory:', options)
  await using second = await openRegistry('MEMORY:', options)
  await first.register(sampleInstance('a'))
  assert.ok(first instanceof MemoryRegistry)
  assert.deepEqual(await second.services(), [])
})

test('file: names a directory, relative, absolute or as a full URL', async () => {
  const path = join(directory, 'my registry')
  const urls = [`file:${relative(process.cwd(), path)}`, `file:${path}`, pathToFileURL(path).href]
  for (const [number, url] of urls.entries()) {
    await using registry = await openRegistry(url, options)
    assert.ok(registry instanceof FileRegistry)
    await registry.register(sampleInstance(`i${number}`))
    assert.match((await readdir(path)).join(), new RegExp(`^i${number}@[^,]*$`), url)
  }
})

test('a registry that is passed in stays open when its user closes', async () => {
  const registry = new MemoryRegistry()
  await using staying = new ListReader(registry, 'users')
  const borrowed = await openRegistry(registry, options)
  await borrowed.register(sampleInstance('a'))
  await staying.untilIds('a')
  await borrowed.close()
  await staying.untilIds()
  await registry.register(sampleInstance('b'))
  await staying.untilIds('b')
})

test('what names no registry is refused, with what there is, and without the rest of the URL', async () => {
  const cases: [string, string][] = [
    ['redis://:hunter2@host', 'the URL has the unknown scheme redis:; known are memory: and file:'],
    ['toString:x', 'the URL has the unknown scheme tostring:; known are memory: and file:'],
    ['.covey/registry', 'the URL has no scheme; known are memory: and file:'],
    ['', 'the URL has no scheme; known are memory: and file:'],
    ['memory:shared', 'write memory: with nothing after it'],
    ['file:', 'file: needs a directory, like file:.covey/registry'],
    ['file://host/dir', 'write file:dir for a relative and file:/dir for an absolute directory'],
  ]
  for (const [url, text] of cases) {
    const error = { code: 'INVALID_SETTINGS', message: `registry: ${text}` }
    await assert.rejects(openRegistry(url, options), error, url)
  }
})
