import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { bootId, processStat } from './process-stat.ts'

const linux = process.platform === 'linux'

test('a process that runs has a start that stays; one that is none has nothing', () => {
  // Larger than any process number that Linux gives.
  assert.equal(processStat(2 ** 30), undefined)
  const own = processStat(process.pid)
  if (!linux) return assert.equal(own, undefined)
  assert.match(own!.started, /^\d+$/)
  assert.equal(own!.ended, false)
  assert.deepEqual(processStat(process.pid), own)
})

test('a name with spaces and parentheses does not shift the fields', { skip: !linux }, async () => {
  const directory = await mkdtemp(join(tmpdir(), 'covey-stat-'))
  try {
    const path = join(directory, 'a) Z (b')
    await copyFile('/bin/cat', path)
    const child = spawn(path, { stdio: ['pipe', 'ignore', 'inherit'] })
    await once(child, 'spawn')
    const stat = processStat(child.pid!)
    const gone = once(child, 'exit')
    child.stdin.end()
    await gone
    const own = processStat(process.pid)
    assert.equal(stat?.ended, false)
    assert.ok(Number(stat?.started) >= Number(own?.started))
    assert.equal(processStat(child.pid!), undefined)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
})

test('the boot has an id that stays', () => {
  assert.equal(bootId(), bootId())
  if (linux) assert.match(bootId(), /^[0-9a-f-]{36}$/)
})
