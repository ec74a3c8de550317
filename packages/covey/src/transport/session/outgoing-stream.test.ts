import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CoveyError } from '../../error/covey-error.ts'
import { OutgoingStream } from './outgoing-stream.ts'

const itemBytes = 10

/** A handler that counts, and the stream that sends what it makes; each element takes 10 bytes. */
function bench(windowBytes: number, upTo = 5) {
  const seen = { made: 0, ended: 0, sent: [] as unknown[] }
  let full: PromiseWithResolvers<void> | undefined
  async function* source() {
    try {
      while (seen.made < upTo) yield ++seen.made
    } finally {
      seen.ended += 1
    }
  }
  const stream = new OutgoingStream(source(), windowBytes, {
    send(item) {
      seen.sent.push(item)
      return itemBytes
    },
    room: () => full?.promise,
  })
  return {
    seen,
    stream,
    fill() {
      full = Promise.withResolvers()
    },
    empty() {
      full?.resolve()
      full = undefined
    },
  }
}

function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

async function* listed(...values: unknown[]) {
  yield* values
}

const reason = new CoveyError('CANCELLED', 'the reader left the stream')

test('all that a handler makes is sent, and its end is the end', async () => {
  const { seen, stream } = bench(1_000)
  await stream.run()
  assert.deepEqual(seen, { made: 5, ended: 1, sent: [1, 2, 3, 4, 5] })
})

test('an element whose room was taken while it was made waits for room again', async () => {
  const rooms = [undefined, Promise.withResolvers<void>(), undefined, undefined]
  const sent: unknown[] = []
  const options = {
    send: (item: unknown) => sent.push(item),
    room: () => rooms.shift()?.promise,
  }
  const taken = rooms[1]!
  const running = new OutgoingStream(listed('a', 'b'), 100, options).run()
  await settled()
  assert.deepEqual(sent, [])
  taken.resolve()
  await running
  assert.deepEqual(sent, ['a', 'b'])
})

test('a stream that ends while it waits for room sends nothing more', async () => {
  const taken = Promise.withResolvers<void>()
  const rooms = [undefined, taken]
  const sent: unknown[] = []
  const options = {
    send: (item: unknown) => sent.push(item),
    room: () => rooms.shift()?.promise,
  }
  const stream = new OutgoingStream(listed('a'), 100, options)
  const running = assert.rejects(stream.run(), reason)
  await settled()
  stream.abort(reason)
  taken.resolve()
  await running
  assert.deepEqual(sent, [])
})

test('no element is made before there is room for it at the reader', async () => {
  const { seen, stream } = bench(2 * itemBytes)
  const running = stream.run()
  await settled()
  assert.deepEqual([seen.made, seen.sent.length], [2, 2])
  stream.grant(itemBytes)
  await settled()
  assert.deepEqual([seen.made, seen.sent.length], [3, 3])
  stream.grant(1)
  stream.grant(100)
  await running
  assert.deepEqual(seen.sent, [1, 2, 3, 4, 5])
})

test('an element that is larger than the window is sent, and what it overdrew is waited for', async () => {
  const { seen, stream } = bench(1)
  const running = stream.run()
  await settled()
  assert.equal(seen.sent.length, 1)
  stream.grant(itemBytes - 1)
  await settled()
  assert.equal(seen.sent.length, 1)
  stream.grant(1)
  await settled()
  assert.equal(seen.sent.length, 2)
  stream.grant(1_000)
  await running
})

test('no element is made while the connection is full', async () => {
  const { seen, stream, fill, empty } = bench(1_000)
  fill()
  const running = stream.run()
  await settled()
  assert.equal(seen.made, 0)
  empty()
  await running
  assert.equal(seen.made, 5)
})

test('what a handler throws is what the stream comes to', async () => {
  const cause = new Error('broken')
  const source = (async function* () {
    yield 1
    throw cause
  })()
  const options = { send: () => itemBytes, room: () => undefined }
  await assert.rejects(new OutgoingStream(source, 1_000, options).run(), cause)
})

test('an end from outside stops it where it waits for its reader, and ends the handler', async () => {
  const { seen, stream } = bench(itemBytes)
  const running = stream.run()
  await settled()
  stream.abort(reason)
  stream.abort(new CoveyError('DRAINING', 'later'))
  await assert.rejects(running, reason)
  await settled()
  assert.deepEqual(seen, { made: 1, ended: 1, sent: [1] })
})

test('an end from outside does not wait for the handler', async () => {
  const hanging = { [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}) }) }
  const options = { send: () => itemBytes, room: () => undefined }
  const stream = new OutgoingStream(hanging, 1_000, options)
  let ended = false
  const running = stream.run().finally(() => {
    ended = true
  })
  await settled()
  stream.grant(5)
  await settled()
  assert.equal(ended, false)
  stream.abort(reason)
  await assert.rejects(running, reason)
})

test('an element that cannot be sent ends the handler', async () => {
  let ended = false
  async function* source() {
    try {
      for (let n = 0; ; n++) yield n
    } finally {
      ended = true
    }
  }
  const tooLarge = new CoveyError('MESSAGE_TOO_LARGE', 'a message of 9 MB')
  const stream = new OutgoingStream(source(), 1_000, {
    send() {
      throw tooLarge
    },
    room: () => undefined,
  })
  await assert.rejects(stream.run(), tooLarge)
  await settled()
  assert.equal(ended, true)
})

test('a handler that fails while it is ended harms nobody', async () => {
  const source = {
    [Symbol.asyncIterator]: () => ({
      next: async () => ({ done: false as const, value: 1 }),
      return: () => Promise.reject(new Error('broken')),
    }),
  }
  const options = { send: () => itemBytes, room: () => undefined }
  const stream = new OutgoingStream(source, itemBytes, options)
  const running = stream.run()
  await settled()
  stream.abort(reason)
  await assert.rejects(running, reason)
  await settled()
})
