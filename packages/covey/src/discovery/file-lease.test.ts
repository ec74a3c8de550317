import assert from 'node:assert/strict'
import * as fs from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { silentLog } from '../observe/log.ts'
import { FakeClock } from '../testing/fake-clock.ts'
import { sampleInstance } from '../testing/registry-suite.ts'
import { FileDirectory } from './file-directory.ts'
import { FileLease } from './file-lease.ts'
import { currentProcess } from './process-identity.ts'

const path = await fs.mkdtemp(join(tmpdir(), 'covey-lease-'))
after(() => fs.rm(path, { recursive: true, force: true }))

function newLease(id: string, clock = new FakeClock()) {
  let released = 0
  const lease = new FileLease(sampleInstance(id), {
    directory: new FileDirectory(path, silentLog),
    holder: currentProcess(),
    clock,
    log: silentLog,
    released: () => {
      released += 1
    },
  })
  return { lease, count: () => released }
}

async function filesOf(id: string): Promise<string[]> {
  return (await fs.readdir(path)).filter((name) => name.startsWith(`${id}@`))
}

async function mtimeOf(id: string): Promise<number> {
  const [name = ''] = await filesOf(id)
  return (await fs.stat(join(path, name))).mtimeMs
}

test('each beat gives the file a new time, also when the clock stands still or goes back', async () => {
  const clock = new FakeClock(1_000_000)
  const { lease } = newLease('beat', clock)
  await lease.take()
  const times = new Set<number>()
  for (let beats = 0; beats < 5; beats++) {
    await lease.beat()
    times.add(await mtimeOf('beat'))
  }
  assert.equal(times.size, 5)
  await clock.advance(-500_000)
  await lease.beat()
  times.add(await mtimeOf('beat'))
  assert.equal(times.size, 6)
  await lease.release()
})

test('a file that is gone is written again by the next beat, but never after the release', async () => {
  const { lease, count } = newLease('gone')
  await lease.take()
  const before = await filesOf('gone')
  await fs.rm(join(path, before[0]!))
  await lease.beat()
  assert.deepEqual(await filesOf('gone'), before)
  await Promise.all([lease.beat(), lease.release(), lease.beat(), lease.release()])
  await lease.beat()
  assert.deepEqual([await filesOf('gone'), count()], [[], 1])
})

test('a release waits for a registration that is under way', async () => {
  const { lease } = newLease('early')
  await Promise.all([lease.take(), lease.release()])
  assert.deepEqual(await filesOf('early'), [])
})
