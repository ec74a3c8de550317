import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Call } from '../call/call.ts'
import type { Handler } from '../call/handler.ts'
import type { MethodRef } from '../call/method-ref.ts'
import { CoveyError } from '../error/covey-error.ts'
import { WaitingCall, WaitingLine } from './waiting-line.ts'

const method: MethodRef = {
  service: 'a',
  name: 'b',
  path: 'a.b',
  kind: 'unary',
  idempotent: false,
}

function waiting(
  connectionId: string,
  input: unknown,
  next: Handler = async () => {},
): WaitingCall {
  const peer = { protocol: 'tcp', address: '', connectionId, identity: undefined }
  return new WaitingCall(new Call(method, input, { peer }), next, (work) => work())
}

/** A line with calls of connections named by one letter each, in this order: `aaab`. */
function lineOf(connections: string): WaitingLine {
  const line = new WaitingLine()
  for (const [index, id] of [...connections].entries()) line.push(waiting(id, index))
  return line
}

/** The order in which they leave: `a0 b3 …`. */
function orderOf(line: WaitingLine): string {
  const order: string[] = []
  for (let next = line.shift(); next !== undefined; next = line.shift()) {
    order.push(`${next.call.peer.connectionId}${next.call.input}`)
  }
  return order.join(' ')
}

test('connections are served by turns, each in its own order', () => {
  assert.equal(orderOf(lineOf('aaaab')), 'a0 b4 a1 a2 a3')
  assert.equal(orderOf(lineOf('abcabc')), 'a0 b1 c2 a3 b4 c5')
  assert.equal(orderOf(lineOf('')), '')
})

test('one that comes back takes its place behind those who wait', () => {
  const line = lineOf('ab')
  assert.equal(line.shift()?.call.input, 0)
  line.push(waiting('a', 'again'))
  line.push(waiting('c', 'new'))
  assert.equal(line.size, 3)
  assert.equal(orderOf(line), 'b1 aagain cnew')
  assert.equal(line.size, 0)
})

test('long queues keep their order while they grow and shrink', () => {
  const line = new WaitingLine()
  let came = 0
  let left = 0
  for (let round = 0; round < 50; round++) {
    for (let n = 0; n < 17; n++) line.push(waiting('a', came++))
    for (let n = 0; n < 13; n++) assert.equal(line.shift()?.call.input, left++)
  }
  while (line.size > 0) assert.equal(line.shift()?.call.input, left++)
  assert.equal(left, came)
})

test('ahead of a call are those of its connection and as many of others', () => {
  assert.equal(lineOf('').ahead('a'), 0)
  const line = lineOf('aaaaaaaab')
  assert.equal(line.ahead('a'), 9, 'all of them')
  assert.equal(line.ahead('b'), 3, 'a, b, a')
  assert.equal(line.ahead('c'), 2, 'a, b')
})

test('trimming takes the last ones of each connection', () => {
  const line = lineOf('aaaabb')
  const taken = line.trim((_, ahead) => ahead > 1)
  assert.deepEqual(taken.map(({ call }) => call.input).sort(), [1, 2, 3, 5])
  assert.equal(line.size, 2)
  assert.equal(orderOf(line), 'a0 b4')
  assert.deepEqual(lineOf('abc').trim((_, ahead) => ahead > 1).length, 1, 'the first come first')
  const all = lineOf('aabb')
  assert.equal(all.trim(() => true).length, 4)
  assert.deepEqual([all.size, all.shift()], [0, undefined])
  assert.equal(all.ahead('a'), 0)
})

test('what comes of a call comes of its promise, also when it throws at once', async () => {
  const good = waiting('a', 1, async () => 'done')
  good.begin()
  assert.equal(await good.outcome, 'done')
  const bad = waiting('a', 1, () => {
    throw new Error('oops')
  })
  bad.begin()
  await assert.rejects(bad.outcome, /oops/)
  const refused = waiting('a', 1)
  refused.refuse(new CoveyError('RESOURCE_EXHAUSTED', 'no'))
  await assert.rejects(refused.outcome, { code: 'RESOURCE_EXHAUSTED' })
})
