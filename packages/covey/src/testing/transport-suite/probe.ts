import { currentCall } from '../../call/call-storage.ts'
import { defineContract } from '../../contract/define-contract.ts'
import { defineService, type MethodCall } from '../../contract/define-service.ts'
import { clientStream, duplex, type Method, serverStream, unary } from '../../contract/method.ts'
import { CoveyError } from '../../error/covey-error.ts'
import { anything, choice, number, shape, text } from '../plain-schemas.ts'

/** What a handler knows of its call. */
const facts = shape({
  traceId: text(),
  traceState: text(),
  leftMs: number(),
  tag: text(),
  tenant: text(),
  who: text(),
  attempt: number(),
})

/** What a transport is asked in its tests. */
export const probe = defineContract('probe', {
  echo: unary({ input: anything(), output: anything(), idempotent: true }),
  strict: unary({ input: shape({ id: text() }), output: shape({ id: text() }) }),
  describe: unary({ output: facts }),
  fail: unary({
    input: shape({ how: choice('declared', 'framework', 'unknown', 'late') }),
    errors: { GONE: shape({ id: text() }) },
  }),
  hang: unary({ timeoutMs: 60_000 }),
  leak: unary({ output: shape({ name: text() }) }),
  /** Changes what it was given, and later what it gave. */
  spoil: unary({ input: anything<{ list: unknown[] }>(), output: anything() }),

  count: serverStream({ input: shape({ to: number(), pad: number() }), output: anything() }),
  endless: serverStream({ output: number() }),
  traces: serverStream({ output: text() }),
  /** Gives each element of a list. */
  replay: serverStream({ input: anything<readonly unknown[]>(), output: anything() }),
  /** Two elements, of which the second does not fit, and both have more than the contract names. */
  leaks: serverStream({ output: shape({ n: number() }) }),
  /** Three elements, then its error. */
  breaks: serverStream({ output: number(), errors: { FULL: shape({ at: number() }) } }),
  describeAll: serverStream({ output: facts }),

  sum: clientStream({
    input: shape({ n: number() }),
    output: shape({ sum: number(), keys: text() }),
  }),
  /** Gives back all that it got. */
  gather: clientStream({ input: anything(), output: anything() }),
  /** Answers when it has so many. */
  first: clientStream({
    input: anything(),
    output: number(),
    errors: { FULL: shape({ at: number() }) },
  }),
  /** Reads one input each time the test says so, and goes on till the end when it says so no more. */
  sip: clientStream({ input: anything(), output: number() }),

  describeInputs: clientStream({ input: anything(), output: facts }),

  talk: duplex({ input: anything(), output: anything() }),
  /** Answers with more than it was asked: `after` elements behind the end of its inputs. */
  linger: duplex({ input: anything(), output: number() }),
  /** Reads one input and goes on without the others. */
  deaf: duplex({ input: anything(), output: number() }),
  describeEach: duplex({ input: anything(), output: facts }),
})

/** What handlers of the probe noticed. */
export interface Seen {
  /** Calls whose signal has aborted. */
  aborted: number
  /** Elements that a handler has made. */
  made: number
  /** Calls of `hang` that run. */
  hanging: number
  /** Inputs that a handler has taken. */
  taken: number
  /** How streams of inputs ended, as their handlers saw it: `end`, or `code: message` of what they threw. */
  readonly ends: string[]
  /** Taken by `sip` before each input. */
  readonly sips: (() => void)[]
}

/** Nobody noticed anything. */
export function nothingSeen(): Seen {
  return { aborted: 0, made: 0, hanging: 0, taken: 0, ends: [], sips: [] }
}

/** The inputs of a call, noted as they come; `at the end` is noted as well. */
async function* noted<T>(
  inputs: AsyncIterable<T>,
  call: MethodCall<Method>,
  seen: Seen,
): AsyncGenerator<T> {
  call.signal.addEventListener('abort', () => {
    seen.aborted += 1
  })
  try {
    for await (const input of inputs) {
      seen.taken += 1
      yield input
    }
    seen.ends.push('end')
  } catch (error) {
    const { code, message } = error as CoveyError
    seen.ends.push(`${code}: ${message}`)
    throw error
  }
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

/** The service behind the probe; it writes down what it sees. */
export function probeService(seen: Seen) {
  return defineService(probe, { ...callHandlers(seen), ...streamHandlers(seen) })
}

function factsOf(call: MethodCall<Method>) {
  return {
    traceId: call.trace.traceId,
    traceState: call.trace.state,
    leftMs: call.remainingMs(),
    tag: call.metadata.get('tag') ?? '',
    tenant: call.baggage.get('tenant') ?? '',
    who: call.peer.identity?.subject ?? '',
    attempt: call.attempt,
  }
}

function callHandlers(seen: Seen) {
  return {
    echo: (input: unknown) => input,
    strict: ({ id }: { id: string }) => ({ id }),
    describe: (_: unknown, call: MethodCall<Method>) => factsOf(call),
    async fail({ how }: { how: string }, call: MethodCall<typeof probe.methods.fail>) {
      if (how === 'declared') throw call.error('GONE', { id: '7' })
      if (how === 'framework') throw new CoveyError('NOT_FOUND', 'nothing here')
      if (how === 'late') await turn()
      throw new Error('a secret of the inside')
    },
    hang: (_: unknown, call: MethodCall<typeof probe.methods.hang>) =>
      new Promise<void>(() => {
        seen.hanging += 1
        call.signal.addEventListener('abort', () => {
          seen.aborted += 1
        })
      }),
    leak: () => ({ name: 'ada', passwordHash: 'x' }) as { name: string },
    spoil(input: { list: unknown[] }) {
      input.list.push('by the handler')
      setImmediate(() => input.list.push('later'))
      return input
    },
    async *count({ to, pad }: { to: number; pad: number }) {
      for (let number = 1; number <= to; number++) {
        seen.made = number
        yield pad === 0 ? number : { number, pad: 'x'.repeat(pad) }
      }
    },
    async *replay(list: readonly unknown[]) {
      yield* list
    },
    async *leaks() {
      for (const n of [1, 'two']) yield { n, secret: 'x' } as unknown as { n: number }
    },
    async *breaks(_: unknown, call: MethodCall<typeof probe.methods.breaks>) {
      for (let n = 1; n <= 3; n++) yield n
      throw call.error('FULL', { at: 3 })
    },
    async *describeAll(_: unknown, call: MethodCall<Method>) {
      yield factsOf(call)
    },
    async *traces(_: unknown, call: MethodCall<typeof probe.methods.traces>) {
      yield call.trace.traceId
      await turn()
      yield currentCall()?.trace.traceId ?? 'outside of any call'
    },
    async *endless(_: unknown, call: MethodCall<typeof probe.methods.endless>) {
      call.signal.addEventListener('abort', () => {
        seen.aborted += 1
      })
      for (let number = 1; ; number++) {
        seen.made = number
        yield number
        await turn()
      }
    },
  }
}

type Inputs<T> = AsyncIterable<T>

function streamHandlers(seen: Seen) {
  return {
    async sum(inputs: Inputs<{ n: number }>, call: MethodCall<typeof probe.methods.sum>) {
      let sum = 0
      const keys = new Set<string>()
      for await (const input of noted(inputs, call, seen)) {
        sum += input.n
        for (const key of Object.keys(input)) keys.add(key)
      }
      return { sum, keys: [...keys].join(), secret: 'x' }
    },
    async gather(inputs: Inputs<unknown>, call: MethodCall<typeof probe.methods.gather>) {
      const all: unknown[] = []
      for await (const input of noted(inputs, call, seen)) all.push(input)
      return all
    },
    async first(inputs: Inputs<unknown>, call: MethodCall<typeof probe.methods.first>) {
      for await (const input of noted(inputs, call, seen)) {
        if (input === 'answer') break
        if (input === 'fail') throw call.error('FULL', { at: seen.taken })
      }
      return seen.taken
    },
    async sip(inputs: Inputs<unknown>, call: MethodCall<typeof probe.methods.sip>) {
      const iterator = noted(inputs, call, seen)
      do await new Promise<void>((resolve) => seen.sips.push(resolve))
      while (!(await iterator.next()).done)
      return seen.taken
    },
    async *talk(inputs: Inputs<unknown>, call: MethodCall<typeof probe.methods.talk>) {
      for await (const input of noted(inputs, call, seen)) {
        seen.made += 1
        yield input
      }
    },
    async *linger(inputs: Inputs<unknown>, call: MethodCall<typeof probe.methods.linger>) {
      for await (const _ of noted(inputs, call, seen)) yield seen.taken
      for (let after = 1; after <= 3; after++) {
        await turn()
        yield -after
      }
    },
    async describeInputs(inputs: Inputs<unknown>, call: MethodCall<Method>) {
      for await (const _ of inputs);
      return factsOf(call)
    },
    async *describeEach(inputs: Inputs<unknown>, call: MethodCall<Method>) {
      for await (const _ of inputs) yield factsOf(call)
    },
    async *deaf(inputs: Inputs<unknown>, call: MethodCall<typeof probe.methods.deaf>) {
      for await (const _ of noted(inputs, call, seen)) break
      for (let number = 1; number <= 1_000; number++) yield number
    },
  }
}
