import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import type { Client } from './client.ts'
import { defineContract } from './define-contract.ts'
import { defineService } from './define-service.ts'
import { clientStream, duplex, serverStream, unary } from './method.ts'
import { nothing } from './schema.ts'

const users = defineContract('users', {
  get: unary({
    input: z.object({ id: z.string(), deep: z.boolean().default(false) }),
    output: z.object({ id: z.string() }),
    errors: { USER_GONE: z.object({ id: z.string() }) },
  }),
  ping: unary(),
  watch: serverStream({ input: z.object({ ids: z.array(z.string()) }), output: z.number() }),
  upload: clientStream({
    input: z.object({ id: z.string(), size: z.number().default(0) }),
    output: z.number(),
    errors: { FULL: z.object({ at: z.number() }) },
  }),
  talk: duplex({ input: z.string(), output: z.object({ reply: z.string() }), timeoutMs: 7 }),
})

test('methods know their place and their defaults', () => {
  const { get, ping, watch } = users.methods
  assert.deepEqual(
    [get.path, get.service, get.name, get.kind],
    ['users.get', 'users', 'get', 'unary'],
  )
  assert.deepEqual([ping.timeoutMs, ping.idempotent, ping.input], [5_000, false, nothing])
  assert.equal(watch.timeoutMs, Number.POSITIVE_INFINITY)
  const { upload, talk } = users.methods
  assert.deepEqual([upload.kind, upload.timeoutMs], ['clientStream', Number.POSITIVE_INFINITY])
  assert.deepEqual([talk.kind, talk.timeoutMs], ['duplex', 7])
})

test('names that do not fit their form are refused, with the form', () => {
  assert.throws(() => defineContract('Users', {}), /contract name "Users": use lower case/)
  assert.throws(() => defineContract('users', { Get: unary() }), /method name in "users" "Get"/)
  const wrong = () => defineContract('users', { get: unary({ errors: { gone: z.any() } }) })
  assert.throws(wrong, /error code in "users\.get" "gone": use UPPER_SNAKE_CASE/)
})

test('a service has a handler for each method and no other', () => {
  const some = { ping: () => {} } as never
  assert.throws(() => defineService(users, some), /no handler for method "get"/)
  const more = { ping: () => {}, pong: () => {} }
  const small = defineContract('small', { ping: unary() })
  assert.throws(() => defineService(small, more), /has no method "pong"; it has: ping/)
})

// Checked by the compiler: what does not fit is an error, and a line that stops being one is as well.
export async function typesHold(api: Client<typeof users>): Promise<void> {
  const user: { id: string } = await api.get({ id: '7' })
  await api.ping()
  for await (const value of api.watch({ ids: [user.id] })) value satisfies number
  const count: number = await api.upload([{ id: '1' }, { id: '2', size: 3 }])
  for await (const { reply } of api.talk(new Set([`${count}`]))) reply satisfies string
  // @ts-expect-error one input is no stream of inputs
  await api.upload({ id: '1' })
  // @ts-expect-error the elements are texts
  api.talk([1])
  // @ts-expect-error a stream has no result
  await api.talk([]).then
  // @ts-expect-error the id is missing
  await api.get({})
  // @ts-expect-error no such method
  await api.gett({ id: '7' })
  // @ts-expect-error the result has no name
  ;(await api.get({ id: '7' })).name
  try {
    await api.get({ id: '7' })
  } catch (error) {
    if (api.get.isError(error, 'USER_GONE')) error.details.id satisfies string
    // @ts-expect-error not a code of this method
    api.get.isError(error, 'OTHER')
  }
  defineService(users, {
    async get({ id, deep }, call) {
      deep satisfies boolean
      // @ts-expect-error the details need an id
      if (deep) throw call.error('USER_GONE', {})
      throw call.error('USER_GONE', { id })
    },
    ping() {},
    async *watch({ ids }) {
      yield ids.length
    },
    async upload(inputs, call) {
      for await (const { id, size } of inputs) if (size > 1) throw call.error('FULL', { at: +id })
      // @ts-expect-error the details need a number
      throw call.error('FULL', {})
    },
    async *talk(inputs) {
      for await (const text of inputs) yield { reply: text.toUpperCase() }
    },
  })
}
