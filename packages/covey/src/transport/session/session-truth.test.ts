import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Call } from '../../call/call.ts'
import { frameType } from '../../codec/frame/frame-type.ts'
import type { CoveyError } from '../../error/covey-error.ts'
import { ask, fourMethods } from '../../testing/four-kinds.ts'
import type { MemoryPipe } from '../../testing/memory-pipe.ts'
import { clientEnd, jsonFrame, saidBy, valueFrame } from '../../testing/session-ends.ts'
import type { ClientSession } from './client-session.ts'

// What a client may say of a call whose answer never came, and which number a call may have.

const connected = (lastId = 0) => clientEnd(fourMethods, { lastId })
const result = (id: number, value: unknown) => valueFrame(frameType.result, id, value)

/** Numbers of the calls that were written since the last look. */
function callsWritten(pipe: MemoryPipe): number[] {
  return saidBy(pipe).flatMap(([name, id]) => (name === 'call' ? [id] : []))
}

function outcome(session: ClientSession, input: unknown): Promise<string> {
  return session.invoke(new Call(ask, input)).then(
    (value) => JSON.stringify(value),
    (error: CoveyError) => error.code,
  )
}

test('a call that left before its turn was over may have run', async () => {
  const { pipe, session } = await connected()
  const small = outcome(session, 'small')
  const large = outcome(session, 'x'.repeat(20_000))
  assert.equal(pipe.writes.length, 1, 'the write was full')
  const kept = outcome(session, 'behind')
  pipe.disconnect()
  assert.deepEqual(await Promise.all([small, large, kept]), [
    'CONNECTION_LOST',
    'CONNECTION_LOST',
    'UNAVAILABLE',
  ])
})

for (const code of ['DRAINING', 'UNAVAILABLE', 'RESOURCE_EXHAUSTED']) {
  test(`a connection that ends with ${code} does not mean that its calls were not run`, async () => {
    const { pipe, session } = await connected()
    const left = outcome(session, 1)
    pipe.turn()
    const kept = outcome(session, 2)
    pipe.receive(jsonFrame(frameType.error, { code, message: 'no more' }))
    assert.deepEqual(await Promise.all([left, kept]), ['CONNECTION_LOST', 'UNAVAILABLE'])
  })
}

test('behind the highest number the lowest come again, but for those in use', async () => {
  const { pipe, session } = await connected(0xfffffffd)
  const first = outcome(session, 'a')
  const given = [outcome(session, 'b'), outcome(session, 'c'), outcome(session, 'd')]
  const ids = callsWritten(pipe)
  assert.deepEqual(ids, [0xfffffffe, 0xffffffff, 1, 2])
  for (const id of [2, 0xffffffff, 1]) pipe.receive(result(id, `for ${id}`))
  assert.deepEqual(await Promise.all(given), ['"for 4294967295"', '"for 1"', '"for 2"'])
  // Late answers to numbers of the round before harm nobody.
  pipe.receive(result(0xffffffff, 'late'))
  pipe.receive(result(77, 'late'))
  assert.equal(session.state, 'open')
  pipe.receive(result(0xfffffffe, 'for the first'))
  assert.equal(await first, '"for the first"')
})
