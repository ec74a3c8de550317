import assert from 'node:assert/strict'
import { test } from 'node:test'
import { untilDone } from './until-done.ts'

test('it ends when it is told, and leaves nothing at the signal', async () => {
  const { signal } = new AbortController()
  const listeners: unknown[] = []
  signal.addEventListener = (_: string, listener: unknown) => void listeners.push(listener)
  signal.removeEventListener = (_: string, listener: unknown) => {
    listeners.splice(listeners.indexOf(listener), 1)
  }
  let done = () => {}
  const waiting = untilDone((tell) => {
    done = tell
  }, signal)
  assert.equal(listeners.length, 1)
  done()
  await waiting
  assert.equal(listeners.length, 0)
  await untilDone((tell) => tell())
})

test('it ends when the signal aborts, and begins nothing when it has', async () => {
  const abort = new AbortController()
  const waiting = untilDone(() => {}, abort.signal)
  abort.abort()
  await waiting
  await untilDone(() => assert.fail('asked'), abort.signal)
})
