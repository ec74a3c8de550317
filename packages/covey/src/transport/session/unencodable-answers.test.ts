import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Call } from '../../call/call.ts'
import { CoveyError } from '../../error/covey-error.ts'
import { pairMethods, sessionPair } from '../../testing/session-pair.ts'

const serve: NonNullable<Parameters<typeof sessionPair>[0]>['serve'] = async ({ input }) => {
  switch (input) {
    case 'half':
      throw new CoveyError('NOT_FOUND', 'no user a\ud800')
    case 'long':
      throw new CoveyError('NOT_FOUND', 'x'.repeat(100_000))
    case 'details':
      throw new CoveyError('NOT_FOUND', 'no user', { details: { cause: new Error('boom') } })
    case 'list':
      return new Array(1_000_001).fill(1)
    case 'set':
      return { seen: [new WeakSet()] }
    default:
      return input
  }
}

test('an answer that cannot be sent is an error of its call alone, whatever is wrong with it', async () => {
  const pair = sessionPair({ serve, limits: { maxFrameBytes: 64 * 1024 } })
  assert.equal(await pair.connect(), 'ready')
  const outcome = async (input: unknown) => {
    const answer = pair.client.invoke(new Call(pairMethods.echo, input)).then(
      (value) => String(value),
      (error: CoveyError) => `${error.code} ${error.message.slice(0, 60)}`,
    )
    await pair.pump()
    return Promise.race([answer, new Promise((resolve) => setImmediate(resolve, 'no answer'))])
  }
  assert.equal(await outcome('half'), 'NOT_FOUND no user a\ufffd')
  assert.equal(await outcome('long'), `NOT_FOUND ${'x'.repeat(60)}`)
  assert.equal(await outcome('details'), 'NOT_FOUND no user')
  assert.equal(await outcome('list'), 'UNENCODABLE over 1000000 elements')
  assert.equal(await outcome('set'), 'UNENCODABLE seen.0: a value of type WeakSet cannot be sent')
  assert.equal(await outcome('still here'), 'still here')
  await pair.client.close()
})
