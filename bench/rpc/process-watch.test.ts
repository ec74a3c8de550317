import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { residentBytes, watchPeaks, watchSharedCore } from './process-watch.ts'

const noProc = existsSync('/proc/self/stat') ? false : 'there is no /proc'

test('the peak is what was held in between, not what is held at the end', async () => {
  const before = residentBytes(process.pid)
  assert.ok(before > 10 * 1024 ** 2, `${before}`)
  const watch = watchPeaks([process.pid])
  const held = Buffer.alloc(80 * 1024 ** 2, 1)
  while (watch.peaks[0]! < before + 70 * 1024 ** 2) await sleep(5)
  assert.equal(held[0], 1)
  const [peak] = watch.stop()
  assert.ok(peak! >= before + 70 * 1024 ** 2)
})

test('a process shares its core with itself', { skip: noProc }, async () => {
  const watch = watchSharedCore(process.pid, process.pid)
  await sleep(100)
  assert.equal(watch.stop(), 1)
})

test('of processes that are gone nothing is known', async () => {
  const watch = watchSharedCore(2 ** 22 + 1, 2 ** 22 + 2)
  await sleep(60)
  assert.equal(watch.stop(), undefined)
})
