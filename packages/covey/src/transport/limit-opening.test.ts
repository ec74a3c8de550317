import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CoveyError } from '../error/covey-error.ts'
import { FakeClock } from '../testing/fake-clock.ts'
import { limitOpening } from './limit-opening.ts'
import { defaultLimits } from './limits.ts'

const limits = { ...defaultLimits, connectMs: 100, handshakeMs: 300 }

function bench(signal?: AbortSignal) {
  const clock = new FakeClock()
  const told: string[] = []
  const fail = ({ code, message }: CoveyError) => void told.push(`${code}: ${message}`)
  return { clock, told, limit: limitOpening('tcp://a:1', { clock, limits, signal }, fail) }
}

test('connecting has its time, and the handshake behind it its own', async () => {
  const silent = bench()
  await silent.clock.advance(99)
  assert.deepEqual(silent.told, [])
  await silent.clock.advance(1)
  assert.deepEqual(silent.told, ['UNAVAILABLE: tcp://a:1: no answer within 100 ms'])
  const mute = bench()
  await mute.clock.advance(90)
  mute.limit.answered()
  await mute.clock.advance(299)
  assert.deepEqual(mute.told, [])
  await mute.clock.advance(1)
  assert.deepEqual(mute.told, ['UNAVAILABLE: tcp://a:1: no answer within 300 ms'])
})

test('a signal ends it, and one that is aborted does not let it begin', () => {
  const controller = new AbortController()
  const { told } = bench(controller.signal)
  controller.abort(new Error('enough'))
  assert.deepEqual(told, ['UNAVAILABLE: tcp://a:1: connecting was cancelled'])
  assert.throws(() => bench(controller.signal), {
    code: 'UNAVAILABLE',
    message: 'tcp://a:1: connecting was cancelled',
    cause: controller.signal.reason,
  })
})

test('once stopped it says nothing more', async () => {
  const controller = new AbortController()
  const { clock, told, limit } = bench(controller.signal)
  limit.answered()
  limit.stop()
  controller.abort()
  await clock.advance(10_000)
  assert.deepEqual(told, [])
})
