import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CoveyError } from '../error/covey-error.ts'
import { FakeClock } from '../testing/fake-clock.ts'
import { Call } from './call.ts'
import type { MethodRef } from './method-ref.ts'
import { localPeer } from './peer.ts'
import { nextSpan } from './trace.ts'

const method: MethodRef = {
  service: 'users',
  name: 'get',
  path: 'users.get',
  kind: 'unary',
  idempotent: false,
}

const enough = new CoveyError('CANCELLED', 'enough')
const late = new CoveyError('DEADLINE_EXCEEDED', 'too late')

test('a call without wishes has no limit, no metadata and the local peer', () => {
  const call = new Call(method, 'input')
  assert.equal(call.deadlineMs, Number.POSITIVE_INFINITY)
  assert.equal(call.remainingMs(), Number.POSITIVE_INFINITY)
  assert.equal(call.metadata.size, 0)
  assert.equal(call.peer, localPeer)
  assert.equal(call.routing, undefined)
  assert.equal(call.cancelled, undefined)
})

test('the time that is left is that of its clock, and negative behind the deadline', async () => {
  const clock = new FakeClock()
  const call = new Call(method, undefined, { clock, deadlineMs: 100 })
  assert.equal(call.remainingMs(), 100)
  await clock.advance(130)
  assert.equal(call.remainingMs(), -30)
})

test('it keeps the trace it was given, or makes one when somebody looks', () => {
  const trace = nextSpan()
  assert.equal(new Call(method, undefined, { trace }).trace, trace)
  const call = new Call(method, undefined)
  assert.match(call.trace.traceId, /^[0-9a-f]{32}$/)
  assert.equal(call.trace, call.trace)
  assert.notEqual(call.trace.traceId, new Call(method, undefined).trace.traceId)
})

test('the first reason to cancel stays, and listeners hear it once', () => {
  const call = new Call(method, undefined)
  const heard: CoveyError[] = []
  call.onCancel((reason) => heard.push(reason))
  call.cancel(enough)
  call.cancel(late)
  assert.equal(call.cancelled, enough)
  assert.deepEqual(heard, [enough])
})

test('one, two and many listeners hear it in the order they came', () => {
  for (const count of [1, 2, 3, 5]) {
    const call = new Call(method, undefined)
    const heard: number[] = []
    for (let n = 0; n < count; n++) call.onCancel(() => heard.push(n))
    call.cancel(enough)
    assert.deepEqual(heard, [0, 1, 2, 3, 4].slice(0, count))
  }
})

test('who comes after the end hears it at once', () => {
  const call = new Call(method, undefined)
  call.cancel(enough)
  const heard: CoveyError[] = []
  call.onCancel((reason) => heard.push(reason))
  assert.deepEqual(heard, [enough])
})

test('a listener that was taken back hears nothing, whichever it is of how many', () => {
  for (const count of [1, 2, 3]) {
    for (let gone = 0; gone < count; gone++) {
      const call = new Call(method, undefined)
      const heard: number[] = []
      const listeners = Array.from({ length: count }, (_, n) => () => void heard.push(n))
      for (const listener of listeners) call.onCancel(listener)
      call.offCancel(listeners[gone]!)
      call.offCancel(() => {})
      call.cancel(enough)
      assert.deepEqual(
        heard,
        [0, 1, 2].slice(0, count).filter((n) => n !== gone),
      )
    }
  }
})

test('listeners may be added and taken back while they are told', () => {
  const call = new Call(method, undefined)
  const heard: string[] = []
  const second = () => void heard.push('second')
  call.onCancel(() => {
    call.offCancel(second)
    call.onCancel(() => heard.push('added'))
    heard.push('first')
  })
  call.onCancel(second)
  call.cancel(enough)
  assert.deepEqual(heard, ['added', 'first', 'second'])
})

test('the signal is the same for all, and aborts with the reason', () => {
  const call = new Call(method, undefined)
  const { signal } = call
  assert.equal(call.signal, signal)
  let reasonAtListener: unknown
  call.onCancel(() => {
    reasonAtListener = signal.reason
  })
  assert.equal(signal.aborted, false)
  call.cancel(enough)
  assert.equal(signal.aborted, true)
  assert.equal(signal.reason, enough)
  assert.equal(reasonAtListener, enough)
})

test('a signal that is asked for after the end is aborted, with the first reason', () => {
  const call = new Call(method, undefined)
  call.cancel(late)
  call.cancel(enough)
  assert.equal(call.signal.aborted, true)
  assert.equal(call.signal.reason, late)
})

test('no controller is made for a call whose signal nobody asks for', () => {
  const { AbortController: Original } = globalThis
  let made = 0
  globalThis.AbortController = class extends Original {
    constructor() {
      super()
      made += 1
    }
  }
  try {
    const call = new Call(method, undefined)
    call.onCancel(() => {})
    call.cancel(enough)
    assert.equal(made, 0)
    assert.equal(call.signal.aborted, true)
    assert.equal(made, 1)
  } finally {
    globalThis.AbortController = Original
  }
})

test('an error of the contract carries its details and says where it comes from', () => {
  const call = new Call(method, undefined)
  const error = call.error('USER_GONE', { id: '7' })
  assert.deepEqual(error.toData(), {
    code: 'USER_GONE',
    message: 'users.get: USER_GONE',
    details: { id: '7' },
  })
  assert.equal(call.error('USER_GONE', undefined, 'no more').message, 'no more')
})

test('a listener that throws keeps none of the others from being told, nor whoever cancels from its work', async () => {
  for (const count of [1, 2, 3, 5]) {
    const call = new Call(method, 'input')
    const faults: unknown[] = []
    const heard: number[] = []
    call.onFault = (error, of) => faults.push([error, of])
    for (let n = 0; n < count; n++) {
      call.onCancel(() => {
        heard.push(n)
        throw n
      })
    }
    call.cancel(enough)
    assert.deepEqual(
      heard,
      Array.from({ length: count }, (_, n) => n),
    )
    assert.deepEqual(
      faults,
      heard.map((n) => [n, call]),
    )
  }
})

test('without somebody to tell, what a listener throws is an uncaught error, as of any event', async () => {
  const call = new Call(method, 'input')
  const heard: unknown[] = []
  const thrown = new Error('mine')
  const own = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException')
  process.once('uncaughtException', (error) => heard.push(error))
  try {
    call.onCancel(() => {
      throw thrown
    })
    call.onCancel((reason) => heard.push(reason))
    call.cancel(enough)
    assert.deepEqual(heard, [enough])
    await new Promise((resolve) => setImmediate(resolve))
    assert.deepEqual(heard, [enough, thrown])
  } finally {
    for (const listener of own) process.on('uncaughtException', listener)
  }
})
