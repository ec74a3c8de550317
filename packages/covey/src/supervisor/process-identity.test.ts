import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { identifyProcess, isProcessIdentity, isRunning } from './process-identity.ts'

test('a process is known again while it lives, and not after it', async () => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
  const identity = identifyProcess(child.pid!)
  assert.ok(identity)
  assert.equal(isRunning(identity), true)
  child.kill('SIGKILL')
  await once(child, 'exit')
  assert.equal(isRunning(identity), false)
  assert.equal(identifyProcess(child.pid!), undefined)
})

test('another process with the same number is not it', () => {
  const own = identifyProcess(process.pid)
  assert.ok(own)
  assert.equal(isRunning(own), true)
  assert.equal(isRunning({ ...own, startTime: `${own.startTime}0` }), false)
})

test('a process that has ended and was not collected counts as gone', async () => {
  const script = 'sh -c "echo \\$\\$; exit" & exec sleep 20'
  const parent = spawn('sh', ['-c', script], { stdio: ['ignore', 'pipe', 'ignore'] })
  const [chunk] = await once(parent.stdout, 'data')
  const pid = Number(String(chunk))
  const endMs = performance.now() + 5_000
  while (identifyProcess(pid) !== undefined && performance.now() < endMs) {
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  assert.equal(identifyProcess(pid), undefined)
  parent.kill('SIGKILL')
})

test('only a whole identity is one', () => {
  assert.equal(isProcessIdentity({ pid: 7, startTime: 'x' }), true)
  for (const value of [
    null,
    7,
    {},
    { pid: 0, startTime: '' },
    { pid: 1, startTime: 'x' },
    { pid: -5, startTime: 'x' },
    { pid: 7 },
    { pid: '7', startTime: 'x' },
  ]) {
    assert.equal(isProcessIdentity(value), false, JSON.stringify(value))
  }
})
