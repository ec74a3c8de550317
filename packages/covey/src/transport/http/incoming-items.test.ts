import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { CoveyError } from '../../error/covey-error.ts'
import { FakeClock } from '../../testing/fake-clock.ts'
import { until } from '../../testing/until.ts'
import { lineItems } from './incoming-items.ts'

const limited = { timeout: 20_000 }
const maxMs = 30_000

/** A body, and what a handler reads of it. */
function open() {
  const clock = new FakeClock()
  const body = new PassThrough()
  const items = lineItems(body as unknown as IncomingMessage, {
    maxBytes: 100_000,
    maxMs,
    clock,
  })[Symbol.asyncIterator]()
  return { clock, body, items }
}

/** So long that the sender is held back until it is taken. */
const longLine = `${JSON.stringify('x'.repeat(40_000))}\n`

test(
  'a handler that takes its time does not cost the sender of lines its own',
  limited,
  async () => {
    const { clock, body, items } = open()
    body.write(`${longLine}[1,`)
    await until(() => body.isPaused(), 'the sender is held back')
    await clock.advance(10 * maxMs)
    assert.equal(((await items.next()).value as string).length, 40_000)
    await clock.advance(maxMs - 1)
    body.end('2]\n')
    assert.deepEqual(await items.next(), { done: false, value: [1, 2] })
    assert.equal((await items.next()).done, true)
    assert.equal(clock.waiting, 0)
  },
)

test('a line that was begun has its time again when it is read', limited, async () => {
  const { clock, body, items } = open()
  body.write(`${longLine}[1,`)
  await until(() => body.isPaused(), 'the sender is held back')
  await clock.advance(10 * maxMs)
  await items.next()
  await clock.advance(maxMs)
  const error = (await items.next().catch((thrown: unknown) => thrown)) as CoveyError
  assert.ok(error instanceof CoveyError)
  assert.equal(error.code, 'DEADLINE_EXCEEDED')
  assert.equal(clock.waiting, 0)
})
