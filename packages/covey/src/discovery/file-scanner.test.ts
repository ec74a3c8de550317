import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, readdir, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { FakeClock } from '../testing/fake-clock.ts'
import { RecordingLog } from '../testing/recording-log.ts'
import { sampleInstance } from '../testing/registry-suite.ts'
import { until } from '../testing/until.ts'
import { FileDirectory } from './file-directory.ts'
import { entryName, formatEntry } from './file-entry.ts'
import { FileScanner } from './file-scanner.ts'
import { currentProcess, type ProcessIdentity } from './process-identity.ts'

const root = await mkdtemp(join(tmpdir(), 'covey-scanner-'))
after(() => rm(root, { recursive: true, force: true }))

const self = currentProcess()
/** Processes that nobody here can look up, so that only their beat counts. */
const elsewhere: ProcessIdentity = { machine: 'e'.repeat(12), pid: 42, started: '7' }

/** Hears of nothing, as on systems that cannot watch a directory. */
class DeafDirectory extends FileDirectory {
  override observe(): void {}
}

let benches = 0

/** A scanner on a directory of its own, with a clock that stands still. */
async function newBench(Directory: typeof FileDirectory = DeafDirectory) {
  const path = join(root, `registry-${benches++}`)
  const clock = new FakeClock()
  const log = new RecordingLog()
  const lists: string[][] = []
  const directory = new Directory(path, log)
  const scanner = new FileScanner({
    directory,
    self,
    clock,
    log,
    staleMs: 2_000,
    pollMs: 500,
    found: (instances) => lists.push(instances.map(({ id }) => id).sort()),
  })
  await mkdir(path)
  let beatMs = 1_000
  return {
    path,
    clock,
    log,
    scanner,
    lists,
    /** Writes an entry and returns the path of its file. */
    async write(id: string, holder: ProcessIdentity): Promise<string> {
      const name = entryName(id, holder, 'f'.repeat(12))
      await directory.write(name, formatEntry(sampleInstance(id), holder))
      return join(path, name)
    },
    /** Gives a file a time that it did not have before. */
    async beat(file: string): Promise<void> {
      beatMs += 1
      await utimes(file, beatMs / 1000, beatMs / 1000)
    },
    /** What is alive after some time. */
    async aliveAfter(ms: number): Promise<string[]> {
      await clock.advance(ms)
      await scanner.look()
      return lists.at(-1) ?? []
    },
  }
}

test('an entry is gone when its beat has not changed for 2 s, and back with the next beat', async () => {
  const { write, beat, aliveAfter, path } = await newBench()
  const [silent, lively] = [await write('silent', elsewhere), await write('lively', elsewhere)]
  assert.deepEqual(await aliveAfter(0), ['lively', 'silent'])
  for (let passedMs = 500; passedMs < 2_000; passedMs += 500) {
    await beat(lively)
    assert.deepEqual(await aliveAfter(500), ['lively', 'silent'], `${passedMs}`)
  }
  await beat(lively)
  assert.deepEqual(await aliveAfter(500), ['lively'])
  await beat(silent)
  assert.deepEqual(await aliveAfter(0), ['lively', 'silent'])
  assert.equal((await readdir(path)).length, 2, 'nobody removes what may live')
})

test('times of files are compared with one another only: years ago or ahead are as good', async () => {
  const { write, aliveAfter } = await newBench()
  const file = await write('a', elsewhere)
  for (const seconds of [0, 4e9, 1e9, 4e9]) {
    await utimes(file, seconds, seconds)
    assert.deepEqual(await aliveAfter(1_500), ['a'])
  }
  await aliveAfter(1_000)
  assert.deepEqual(await aliveAfter(1_000), [])
})

test('time during which this process itself was paused counts against nobody', async () => {
  const { write, aliveAfter } = await newBench()
  await write('a', elsewhere)
  await aliveAfter(0)
  assert.deepEqual(await aliveAfter(3_600_000), ['a'])
  assert.deepEqual(await aliveAfter(500), ['a'])
  assert.deepEqual(await aliveAfter(500), [])
})

test('an entry whose process has ended is gone at once, with its files', async () => {
  const { write, aliveAfter, path } = await newBench()
  const ended = { ...self, pid: spawnSync('true').pid }
  await writeFile(`${await write('a', ended)}.tmp`, '{')
  await write('a', self)
  const earlier = { ...self, started: '1' }
  await write('b', earlier)
  assert.deepEqual(await aliveAfter(0), ['a'])
  assert.deepEqual(await readdir(path), [entryName('a', self, 'f'.repeat(12))])
})

test('an entry of a process that cannot be looked up is removed after 10 min of silence', async () => {
  const { write, aliveAfter, path } = await newBench()
  await write('a', elsewhere)
  await write('paused', self)
  for (let passedMs = 0; passedMs < 10 * 60_000; passedMs += 1_000) await aliveAfter(1_000)
  assert.equal((await readdir(path)).length, 2)
  await aliveAfter(1_000)
  await aliveAfter(1_000)
  assert.deepEqual(await readdir(path), [entryName('paused', self, 'f'.repeat(12))])
})

test('what is no entry is skipped and reported once, and reported again when it comes again', async () => {
  const { write, aliveAfter, path, log } = await newBench()
  await write('good', self)
  const name = (id: string) => join(path, entryName(id, self, 'f'.repeat(12)))
  await writeFile(join(path, 'notes.json'), '{}')
  await writeFile(name('broken'), '{ "version": 1,')
  await writeFile(name('old'), '{ "version": 0 }')
  await writeFile(name('large'), ' '.repeat(64 * 1024 + 1))
  await writeFile(name('latin'), Buffer.from([0xe4]))
  await symlink('/etc/passwd', name('link'))
  await mkdir(name('folder'))
  assert.equal(spawnSync('mkfifo', [name('pipe')]).status, 0)
  await writeFile(join(path, 'readme.txt'), 'other files are nobody’s business')
  await writeFile(`${name('unfinished')}.tmp`, '{')
  for (let looks = 0; looks < 3; looks++) assert.deepEqual(await aliveAfter(100), ['good'])
  const reported = log.lines.map(({ fields }) => [
    String(fields.path)
      .slice(path.length + 1)
      .split('@')[0],
    String(fields.reason).split(':')[0],
  ])
  assert.deepEqual(reported.sort(), [
    ['broken', reported.find(([id]) => id === 'broken')?.[1]],
    ['folder', 'not a file'],
    ['large', 'larger than 64 KiB'],
    ['latin', reported.find(([id]) => id === 'latin')?.[1]],
    ['link', 'ELOOP'],
    ['notes.json', 'not a name that a registry gives'],
    ['old', 'version'],
    ['pipe', 'not a file'],
  ])
  assert.deepEqual(new Set(log.messages('warn')), new Set(['skipped an unusable registry entry']))
  await write('broken', self)
  assert.deepEqual(await aliveAfter(100), ['broken', 'good'])
  await writeFile(name('broken'), '')
  assert.deepEqual(await aliveAfter(100), ['good'])
  assert.equal(log.lines.length, 9)
})

test('while the directory cannot be read the last list stays, and the log says so once', async () => {
  const { write, aliveAfter, path, log } = await newBench()
  await write('a', elsewhere)
  await aliveAfter(0)
  await rename(path, `${path}-away`)
  await writeFile(path, 'a file where the directory was')
  for (let looks = 0; looks < 10; looks++) assert.deepEqual(await aliveAfter(1_000), ['a'])
  assert.deepEqual(log.messages('warn'), [
    'cannot read the registry directory; the last list stays',
  ])
  await rm(path)
  await rename(`${path}-away`, path)
  assert.deepEqual(await aliveAfter(500), ['a'])
  await rename(path, `${path}-away`)
  await writeFile(path, 'again')
  await aliveAfter(500)
  assert.equal(log.lines.length, 2)
})

test('where no directory is there is nobody, and looking makes none', async () => {
  const { write, aliveAfter, path, log } = await newBench()
  await write('a', elsewhere)
  await aliveAfter(0)
  await rm(path, { recursive: true })
  assert.deepEqual(await aliveAfter(500), [])
  await assert.rejects(readdir(path), { code: 'ENOENT' })
  await write('a', elsewhere)
  assert.deepEqual(await aliveAfter(500), ['a'])
  assert.deepEqual(log.lines, [])
})

test('where the system tells of changes, a beat of what counts as gone is seen at once', async () => {
  const { write, beat, aliveAfter, scanner, lists, clock } = await newBench(FileDirectory)
  const silent = await write('silent', elsewhere)
  const lively = await write('lively', elsewhere)
  scanner.start()
  await until(() => lists.length > 0 && clock.waiting === 1, 'a first list')
  for (let passedMs = 0; passedMs < 2_000; passedMs += 500) {
    await beat(lively)
    await aliveAfter(500)
  }
  assert.deepEqual(lists.at(-1), ['lively'])
  await beat(silent)
  await until(() => lists.at(-1)?.length === 2, 'it is back, though the clock stands still')
  await scanner.stop()
})

test('the next look comes after 500 ms, or when an entry may become stale', async () => {
  const { scanner, clock, lists, write } = await newBench()
  await write('a', elsewhere)
  await clock.advance(1)
  scanner.start()
  const looks = (count: number) =>
    until(() => lists.length === count && clock.waiting === 1, `look ${count}`)
  await looks(1)
  await clock.advance(499)
  assert.equal(lists.length, 1)
  for (let count = 2; count <= 4; count++) {
    await clock.advance(count === 2 ? 1 : 500)
    await looks(count)
  }
  // A look in between moves the next one: 2,000 ms of silence are over before 500 ms are.
  await clock.advance(100)
  await scanner.look()
  await looks(5)
  await clock.advance(399)
  assert.deepEqual([lists.length, lists.at(-1)], [5, ['a']])
  await clock.advance(1)
  await looks(6)
  assert.deepEqual(lists.at(-1), [])
  await scanner.stop()
  assert.equal(clock.waiting, 0)
})
