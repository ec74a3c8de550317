import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import type { Schema, SchemaResult } from '../base/schema.ts'
import { Call } from '../call/call.ts'
import type { Handler } from '../call/handler.ts'
import { defineContract } from '../contract/define-contract.ts'
import { type BoundMethod, clientStream, duplex, serverStream, unary } from '../contract/method.ts'
import type { CoveyError } from '../error/covey-error.ts'
import { validation } from './validation.ts'

const user = z.object({ id: z.string(), deep: z.boolean().default(false) })
const { methods } = defineContract('users', {
  get: unary({ input: user, output: z.object({ id: z.string() }) }),
  items: serverStream({ input: user, output: z.object({ n: z.number() }) }),
  add: clientStream({ input: user, output: z.object({ n: z.number() }) }),
  talk: duplex({ input: user, output: z.object({ n: z.number() }) }),
})

function run(method: BoundMethod, input: unknown, handler: Handler): Promise<unknown> {
  return validation(method)(handler)(new Call(method, input))
}

/** A schema that says what `validate` says. */
function schema(validate: () => SchemaResult<unknown> | Promise<SchemaResult<unknown>>): Schema {
  return { '~standard': { version: 1, vendor: 'test', validate } }
}

function bound(method: Parameters<typeof defineContract>[1][string]): BoundMethod {
  return defineContract('t', { ask: method }).methods.ask as BoundMethod
}

test('the handler sees what the schema made of the input', async () => {
  let seen: unknown
  const result = await run(methods.get, { id: '7', extra: 1 }, async (call) => {
    seen = call.input
    return { id: '7' }
  })
  assert.deepEqual(seen, { id: '7', deep: false })
  assert.deepEqual(result, { id: '7' })
})

test('wrong input never reaches the handler; every field is named', async () => {
  let ran = false
  const handler: Handler = async () => {
    ran = true
  }
  await assert.rejects(run(methods.get, { id: 7, deep: 'x' }, handler), (error: CoveyError) => {
    assert.equal(error.code, 'INVALID_INPUT')
    assert.match(error.message, /^users\.get input: id: .*; deep: /)
    const { issues } = error.details as { issues: { path: string }[] }
    assert.deepEqual(
      issues.map(({ path }) => path),
      ['id', 'deep'],
    )
    return true
  })
  assert.equal(ran, false)
})

test('no field goes out that the contract does not name', async () => {
  const secret = { id: '7', password: 'x' }
  assert.deepEqual(await run(methods.get, { id: '7' }, async () => secret), { id: '7' })
})

test('wrong output is the fault of the handler', async () => {
  await assert.rejects(
    run(methods.get, { id: '7' }, async () => ({ id: 7 })),
    { code: 'INVALID_OUTPUT', message: /^users\.get output: id: / },
  )
})

test('each element of a stream is checked, and those before a wrong one arrive', async () => {
  const items = async () =>
    (async function* () {
      yield { n: 1, password: 'x' }
      yield { n: 'two' }
    })()
  const stream = (await run(methods.items, { id: '7' }, items)) as AsyncIterable<unknown>
  const seen: unknown[] = []
  await assert.rejects(
    async () => {
      for await (const item of stream) seen.push(item)
    },
    { code: 'INVALID_OUTPUT', message: /^users\.items output: n: / },
  )
  assert.deepEqual(seen, [{ n: 1 }])
})

async function* listed(...items: unknown[]) {
  yield* items
}

const inputsOf = (call: Call) => call.input as AsyncIterable<unknown>

test('each input of a stream is checked when the handler asks for it', async () => {
  for (const method of [methods.add, methods.talk] as BoundMethod[]) {
    const seen: unknown[] = []
    const handler: Handler = async (call) => {
      for await (const item of inputsOf(call)) seen.push(item)
    }
    const inputs = listed({ id: '7', extra: 1 }, { id: 7 }, { id: '8' })
    await assert.rejects(run(method, inputs, handler), {
      code: 'INVALID_INPUT',
      message: new RegExp(`^${method.path} input: id: `),
    })
    assert.deepEqual(seen, [{ id: '7', deep: false }])
  }
})

test('the one result of a stream of inputs is checked, and each of a stream both ways', async () => {
  const secret = { n: 1, password: 'x' }
  assert.deepEqual(await run(methods.add, listed(), async () => secret), { n: 1 })
  await assert.rejects(
    run(methods.add, listed(), async () => 'one'),
    { code: 'INVALID_OUTPUT', message: /^users\.add output: / },
  )
  const results = await run(methods.talk, listed(), async () => listed(secret, { n: 'two' }))
  const seen: unknown[] = []
  await assert.rejects(
    async () => {
      for await (const item of results as AsyncIterable<unknown>) seen.push(item)
    },
    { code: 'INVALID_OUTPUT', message: /^users\.talk output: n: / },
  )
  assert.deepEqual(seen, [{ n: 1 }])
})

test('a handler that leaves its inputs leaves those it was given', async () => {
  let left = false
  const inputs = (async function* () {
    try {
      for (;;) yield { id: '7' }
    } finally {
      left = true
    }
  })()
  await run(methods.add, inputs, async (call) => {
    for await (const _ of inputsOf(call)) break
    return { n: 1 }
  })
  assert.equal(left, true)
})

test('a reader that leaves a stream ends the one of the handler', async () => {
  let ended = false
  const items = async () =>
    (async function* () {
      try {
        for (let n = 0; ; n++) yield { n }
      } finally {
        ended = true
      }
    })()
  const stream = (await run(methods.items, { id: '7' }, items)) as AsyncIterable<unknown>
  for await (const _ of stream) break
  assert.equal(ended, true)
})

test('a schema that takes its time is waited for, on both sides', async () => {
  const slow = schema(async () => ({ value: 'checked' }))
  const method = bound(unary({ input: slow, output: slow }))
  let seen: unknown
  const result = await run(method, 'raw', async (call) => {
    seen = call.input
    return 'raw'
  })
  assert.deepEqual([seen, result], ['checked', 'checked'])
  const refusing = schema(async () => ({ issues: [{ message: 'no' }] }))
  await assert.rejects(
    run(bound(unary({ input: refusing })), 1, async () => {}),
    { code: 'INVALID_INPUT', message: 't.ask input: no' },
  )
})

test('a schema that fails counts as one that refuses, at once or late', async () => {
  const cause = new Error('a bug in the schema')
  const atOnce = schema(() => {
    throw cause
  })
  const late = schema(() => Promise.reject(cause))
  for (const failing of [atOnce, late]) {
    const input = run(bound(unary({ input: failing })), 1, async () => {})
    await assert.rejects(input, { code: 'INVALID_INPUT', cause })
    const output = run(bound(unary({ output: failing })), undefined, async () => {})
    await assert.rejects(output, { code: 'INVALID_OUTPUT', cause })
  }
})

test('a method without input takes nothing, and null for nothing', async () => {
  const method = bound(unary())
  let seen: unknown = 'unseen'
  await run(method, null, async (call) => {
    seen = call.input
  })
  assert.equal(seen, undefined)
  await assert.rejects(
    run(method, 1, async () => {}),
    { code: 'INVALID_INPUT' },
  )
})
