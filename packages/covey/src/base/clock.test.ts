import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { systemClock } from './clock.ts'

test('wall-clock time counts from 1970, the monotonic one goes only forward', () => {
  assert.ok(Math.abs(systemClock.wallMs() - Date.now()) < 1_000)
  const first = systemClock.monotonicMs()
  assert.ok(systemClock.monotonicMs() >= first)
})

test('a timer runs once, a periodic one until it is stopped', async () => {
  const seen: string[] = []
  const { promise, resolve } = Promise.withResolvers<void>()
  systemClock.after(1, () => seen.push('once'))
  const period = systemClock.every(3, () => {
    seen.push('again')
    if (seen.length < 4) return
    period.stop()
    period.stop()
    // Runs behind where the next of that period would have been.
    setTimeout(resolve, 9)
  })
  await promise
  assert.deepEqual(seen, ['once', 'again', 'again', 'again'])
})

test('a timer that was stopped does not run', async () => {
  const seen: string[] = []
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = systemClock.after(1, () => seen.push('stopped'))
  setTimeout(resolve, 5)
  timer.stop()
  timer.stop()
  await promise
  assert.deepEqual(seen, [])
})

test('timers do not keep a process alive', async () => {
  const url = new URL('./clock.ts', import.meta.url).href
  const code = `import { systemClock } from '${url}'
    systemClock.after(60_000, () => {})
    systemClock.every(60_000, () => {})`
  const args = ['--input-type=module', '--eval', code]
  await promisify(execFile)(process.execPath, args, { timeout: 20_000 })
})
