import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Call } from './call.ts'
import { compose, type Handler, type Middleware } from './handler.ts'

const call = new Call(
  { service: 't', name: 'm', path: 't.m', kind: 'unary', idempotent: false },
  undefined,
)

test('the first of the list is the outermost; it is composed once, not at each call', async () => {
  const seen: string[] = []
  let composed = 0
  const named =
    (name: string): Middleware =>
    (next) => {
      composed += 1
      return async (given) => {
        seen.push(`${name} in`)
        const result = await next(given)
        seen.push(`${name} out`)
        return `${name}(${result})`
      }
    }
  const handler = compose([named('a'), named('b'), named('c')], async () => {
    seen.push('handler')
    return 'x'
  })
  assert.equal(await handler(call), 'a(b(c(x)))')
  assert.deepEqual(seen, ['a in', 'b in', 'c in', 'handler', 'c out', 'b out', 'a out'])
  await handler(call)
  assert.equal(composed, 3)
})

test('an empty list is the handler itself', () => {
  const handler: Handler = async () => 'x'
  assert.equal(compose([], handler), handler)
})
