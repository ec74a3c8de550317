import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { until } from '../testing/until.ts'
import { currentProcess, hasEnded, type ProcessIdentity } from './process-identity.ts'

const own = currentProcess()
const onLinux = process.platform === 'linux' ? {} : { skip: 'reads /proc' }

/** The identity of another process on this machine, by the start time that Linux shows. */
function identityOf(pid: number): ProcessIdentity {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  return { ...own, pid, started: stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]! }
}

test('this process has not ended', () => {
  assert.equal(own.pid, process.pid)
  assert.match(own.machine, /^[0-9a-f]{12}$/)
  assert.equal(hasEnded(own, own), false)
  assert.deepEqual(currentProcess(), own)
})

test('a process that is paused has not ended; one that was killed has', onLinux, async () => {
  const child = spawn('sleep', ['30'])
  const other = identityOf(child.pid!)
  child.kill('SIGSTOP')
  await until(() => /\) T /.test(readFileSync(`/proc/${child.pid}/stat`, 'latin1')), 'paused')
  assert.equal(hasEnded(other, own), false)
  child.kill('SIGKILL')
  await once(child, 'exit')
  assert.equal(hasEnded(other, own), true)
})

test('a later process with the same pid is another one', onLinux, () => {
  assert.equal(hasEnded({ ...own, started: String(Number(own.started) + 1) }, own), true)
})

test('a process that nobody has asked how it ended has ended all the same', onLinux, async () => {
  // The shell becomes a `sleep` that never waits for the child it had before.
  const parent = spawn('sh', ['-c', 'sleep 0.2 & echo $!; exec sleep 30'])
  const [line] = await once(parent.stdout, 'data')
  const zombie = identityOf(Number(line))
  assert.equal(hasEnded(zombie, own), false)
  await until(() => /\) Z /.test(readFileSync(`/proc/${zombie.pid}/stat`, 'latin1')), 'a zombie')
  assert.equal(hasEnded(zombie, own), true)
  parent.kill('SIGKILL')
  await once(parent, 'exit')
})

test('nothing is said of processes of other machines, or where the start is not known', () => {
  assert.equal(hasEnded({ machine: 'f'.repeat(12), pid: 4_000_000_000, started: '1' }, own), false)
  assert.equal(hasEnded({ ...own, started: '0' }, own), false)
})
