import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { sampleInstance } from '../testing/registry-suite.ts'
import { InstanceFeed } from './instance-feed.ts'
import type { Instance } from './registry.ts'

function ids(list: readonly Instance[] | undefined): string[] | undefined {
  return list?.map(({ id }) => id)
}

test('a watch waits for the first list, however long that takes', async () => {
  const feed = new InstanceFeed()
  const watch = feed.watch('users')[Symbol.asyncIterator]()
  const first = watch.next()
  assert.equal(feed.list('users'), undefined)
  assert.deepEqual(feed.services(), [])
  feed.set([sampleInstance('b'), sampleInstance('a')])
  assert.deepEqual(ids((await first).value), ['a', 'b'])
})

test('after forget, new watches wait again and old ones keep what they have', async () => {
  const feed = new InstanceFeed()
  feed.set([sampleInstance('a')])
  const old = feed.watch('users')[Symbol.asyncIterator]()
  await old.next()
  feed.forget()
  const young = feed.watch('users')[Symbol.asyncIterator]()
  const [forOld, forYoung] = [old.next(), young.next()]
  feed.set([sampleInstance('a')])
  assert.deepEqual(ids((await forYoung).value), ['a'])
  feed.set([])
  assert.deepEqual(ids((await forOld).value), [])
})

test('the owner hears when lists are wanted and when they no longer are', async () => {
  const heard: string[] = []
  const feed = new InstanceFeed({
    wanted: () => heard.push('wanted'),
    unwanted: () => heard.push('unwanted'),
  })
  feed.set([])
  const watches = ['a', 'b'].map((service) => feed.watch(service)[Symbol.asyncIterator]())
  assert.deepEqual(heard, [], 'nobody reads yet')
  for (const watch of watches) await watch.next()
  assert.deepEqual(heard, ['wanted'])
  await watches[0]!.return?.()
  await watches[0]!.return?.()
  assert.deepEqual(heard, ['wanted'])
  await watches[1]!.return?.()
  assert.deepEqual(heard, ['wanted', 'unwanted'])
  for await (const _ of feed.watch('a')) break
  assert.deepEqual(heard, ['wanted', 'unwanted', 'wanted', 'unwanted'])
})

test('several reads at once are answered in order', async () => {
  const feed = new InstanceFeed()
  const watch = feed.watch('users')[Symbol.asyncIterator]()
  const reads = [watch.next(), watch.next(), watch.next()]
  feed.set([])
  assert.deepEqual(ids((await reads[0]!).value), [])
  feed.set([sampleInstance('a')])
  assert.deepEqual(ids((await reads[1]!).value), ['a'])
  feed.close()
  assert.deepEqual(await reads[2], { done: true, value: undefined })
})

test('watches of one service get the very same list', async () => {
  const feed = new InstanceFeed()
  feed.set([sampleInstance('a')])
  assert.equal(feed.list('users'), feed.list('users'))
  const before = feed.list('users')
  feed.set([sampleInstance('a')])
  assert.equal(feed.list('users'), before, 'nothing has changed')
})

test('a signal that aborts later has no listener of a watch that is over', async () => {
  const feed = new InstanceFeed()
  feed.set([])
  const controller = new AbortController()
  let listeners = 0
  const { signal } = controller
  const add = signal.addEventListener.bind(signal)
  const remove = signal.removeEventListener.bind(signal)
  signal.addEventListener = (...args: Parameters<typeof add>) => {
    listeners += 1
    add(...args)
  }
  signal.removeEventListener = (...args: Parameters<typeof remove>) => {
    listeners -= 1
    remove(...args)
  }
  for await (const _ of feed.watch('users', signal)) break
  assert.equal(listeners, 0)
})

test('property: a reader sees a list that was, never the same twice, and the last one in the end', async () => {
  const instance = fc.record({ id: fc.constantFrom('a', 'b', 'c'), weight: fc.nat(1) })
  const list = fc.uniqueArray(instance, { selector: ({ id }) => id })
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(list, fc.boolean())), async (steps) => {
      const feed = new InstanceFeed()
      const watch = feed.watch('users')[Symbol.asyncIterator]()
      const texts: string[] = []
      let last = ''
      for (const [next, reads] of [...steps, [[], true] as const]) {
        feed.set(next.map(({ id, weight }) => sampleInstance(id, { weight })))
        const text = JSON.stringify(feed.list('users'))
        if (!reads || text === last) continue
        last = JSON.stringify((await watch.next()).value)
        assert.equal(last, text, 'the newest')
        assert.notEqual(texts.at(-1), last)
        texts.push(last)
      }
      assert.equal(last, '[]')
    }),
  )
})
