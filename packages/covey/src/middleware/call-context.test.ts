import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Call } from '../call/call.ts'
import { currentCall } from '../call/call-storage.ts'
import type { Handler } from '../call/handler.ts'
import { defineContract } from '../contract/define-contract.ts'
import { clientStream, duplex, serverStream, unary } from '../contract/method.ts'
import { callContext } from './call-context.ts'

const { methods } = defineContract('t', {
  ask: unary(),
  items: serverStream(),
  upload: clientStream(),
  talk: duplex(),
})

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

async function open(call: Call, handler: Handler): Promise<AsyncIterator<unknown>> {
  const stream = (await callContext(handler)(call)) as AsyncIterable<unknown>
  return stream[Symbol.asyncIterator]()
}

test('the call is the current one for all its handler does, now and later', async () => {
  const call = new Call(methods.ask, undefined)
  const seen: (Call | undefined)[] = []
  await callContext(async () => {
    seen.push(currentCall())
    await turn()
    seen.push(currentCall())
    await new Promise<void>((resolve) => {
      setTimeout(() => {
        seen.push(currentCall())
        resolve()
      }, 1)
    })
  })(call)
  assert.deepEqual(seen, [call, call, call])
  assert.equal(currentCall(), undefined)
})

test('two calls at once do not see each other', async () => {
  const calls = [new Call(methods.ask, 1), new Call(methods.ask, 2)]
  const handler = callContext(async () => {
    await turn()
    return currentCall()
  })
  assert.deepEqual(await Promise.all(calls.map(handler)), calls)
})

test('the body of a stream is in the call, though its reader is in none or in another', async () => {
  const call = new Call(methods.items, undefined)
  const seen: (Call | undefined)[] = []
  const stream = await open(call, async () =>
    (async function* () {
      try {
        seen.push(currentCall())
        yield 1
        await turn()
        seen.push(currentCall())
        yield 2
      } finally {
        seen.push(currentCall())
      }
    })(),
  )
  assert.deepEqual(await stream.next(), { done: false, value: 1 })
  const readInOther = callContext(() => stream.next())
  assert.deepEqual(await readInOther(new Call(methods.ask, undefined)), { done: false, value: 2 })
  assert.deepEqual(await stream.return?.(), { done: true, value: undefined })
  assert.deepEqual(seen, [call, call, call])
})

test('all four kinds run within their call, and those with one result give it as it is', async () => {
  for (const method of [methods.ask, methods.upload]) {
    const call = new Call(method, undefined)
    assert.equal(await callContext(async () => currentCall())(call), call)
  }
  for (const method of [methods.items, methods.talk]) {
    const call = new Call(method, undefined)
    const stream = await open(call, async () =>
      (async function* () {
        yield currentCall()
      })(),
    )
    assert.equal((await stream.next()).value, call)
  }
})

test('a stream that needs no ending can be left', async () => {
  const endless = { [Symbol.asyncIterator]: () => ({ next: async () => ({ value: 1 }) }) }
  const stream = await open(new Call(methods.items, undefined), async () => endless)
  assert.deepEqual(await stream.next(), { value: 1 })
  assert.deepEqual(await stream.return?.(), { done: true, value: undefined })
})

test('failures pass', async () => {
  const failing = callContext(() => Promise.reject(new Error('broken')))
  await assert.rejects(failing(new Call(methods.ask, undefined)), /broken/)
  await assert.rejects(failing(new Call(methods.items, undefined)), /broken/)
})
