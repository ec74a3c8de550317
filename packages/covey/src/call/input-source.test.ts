import assert from 'node:assert/strict'
import { test } from 'node:test'
import { InputSource } from './input-source.ts'

function read(source: unknown): Promise<unknown[]> {
  return Array.fromAsync(new InputSource(source, 'files.upload'))
}

test('lists, generators, promises of elements and web streams are read alike', async () => {
  assert.deepEqual(await read([1, 2]), [1, 2])
  assert.deepEqual(await read(new Map([['a', 1]])), [['a', 1]])
  const generator = (async function* () {
    yield 1
    yield 2
  })()
  assert.deepEqual(await read(generator), [1, 2])
  const stream = new ReadableStream({
    start(controller) {
      for (const value of ['a', 'b']) controller.enqueue(value)
      controller.close()
    },
  })
  assert.deepEqual(await read(stream), ['a', 'b'])
})

test('a web stream is read, failed and left without being iterable', async () => {
  const ends: unknown[] = []
  let given = 0
  const bare = (values: unknown[], failure?: Error) => ({
    getReader: () => ({
      async read() {
        given += 1
        if (values.length > 0) return { done: false, value: values.shift() }
        if (failure !== undefined) throw failure
        return { done: true, value: undefined }
      },
      cancel: async (reason: unknown) => void ends.push(reason),
      releaseLock: () => void ends.push('released'),
    }),
  })
  assert.deepEqual(await read(bare([1, 2])), [1, 2])
  assert.deepEqual(ends.splice(0), [undefined, 'released'])
  const failure = new Error('broken')
  await assert.rejects(read(bare([1], failure)), failure)
  assert.deepEqual(ends.splice(0), [undefined, 'released'])
  given = 0
  for await (const _ of new InputSource(bare([1, 2, 3]), 't')) break
  assert.deepEqual([given, ends], [1, [undefined, 'released']])
})

test('what is no stream is refused at once, with the name of the method', () => {
  for (const element of ['text', new Uint8Array(2), Buffer.from('x'), new ArrayBuffer(2)]) {
    assert.throws(() => new InputSource(element, 'files.upload'), {
      name: 'TypeError',
      message: 'files.upload takes a stream of inputs: put a single text or buffer in a list',
    })
  }
  for (const nothing of [undefined, null, 7, {}, () => [], Promise.resolve([])]) {
    assert.throws(() => new InputSource(nothing, 'files.upload'), {
      message: /^files\.upload takes a stream of inputs: an async iterable/,
    })
  }
})

test('a source is not touched before its first element is asked for, nor when it is left before', async () => {
  let [begun, left] = [0, 0]
  const source = {
    [Symbol.asyncIterator]() {
      begun += 1
      return {
        next: async () => ({ done: false, value: 1 }),
        return: async () => {
          left += 1
          return { done: true, value: undefined }
        },
      }
    },
  }
  const input = new InputSource(source, 't')
  await input[Symbol.asyncIterator]().return?.()
  assert.deepEqual([begun, left, input.started], [0, 0, false])
  for await (const _ of input) break
  assert.deepEqual([begun, left, input.started], [1, 1, true])
})

test('it knows what its source threw, and what stands for that', async () => {
  const cause = new Error('broken')
  const input = new InputSource(
    (async function* () {
      yield* []
      throw cause
    })(),
    't',
  )
  assert.equal(input.threw(cause), false)
  await assert.rejects(Array.fromAsync(input), cause)
  assert.equal(input.threw(cause), true)
  assert.equal(input.threw(new Error('failed', { cause })), true)
  assert.equal(input.threw(new Error('broken')), false)
  assert.equal(input.threw(undefined), false)
  assert.equal(input.thrown, cause)
})

test('a source is asked and left where it was given', async () => {
  let inside = false
  const seen: boolean[] = []
  const source = {
    [Symbol.asyncIterator]: () => ({
      next: async () => ({ done: !seen.push(inside), value: 1 }),
      return: async () => ({ done: Boolean(seen.push(inside)), value: undefined }),
    }),
  }
  const input = new InputSource(source, 't', (work) => {
    inside = true
    try {
      return work()
    } finally {
      inside = false
    }
  })
  for await (const _ of input) break
  assert.deepEqual(seen, [true, true])
})
