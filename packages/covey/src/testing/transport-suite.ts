import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { systemClock } from '../base/clock.ts'
import { TimerWheel } from '../base/timer-wheel.ts'
import { Call, type CallInit } from '../call/call.ts'
import { currentCall } from '../call/call-storage.ts'
import { compose } from '../call/handler.ts'
import { toMetadata } from '../call/metadata.ts'
import { defineContract } from '../contract/define-contract.ts'
import { defineService } from '../contract/define-service.ts'
import { serverStream, unary } from '../contract/method.ts'
import { CoveyError } from '../error/covey-error.ts'
import { silentLog } from '../observe/log.ts'
import { clientStack } from '../rpc/client-stack.ts'
import { contractClient } from '../rpc/contract-client.ts'
import { createDispatcher } from '../rpc/dispatcher.ts'
import { defaultLimits, type Limits } from '../transport/limits.ts'
import type { Authenticate, Connection, Listener, Transport } from '../transport/transport.ts'
import { modeSuite } from './mode-suite.ts'
import { until } from './until.ts'

/** What the suite asks of the transport that is tested. */
export interface TransportSuiteOptions {
  readonly transport: Transport
  /** An address nobody listens at. */
  freeAddress(): Promise<string>
}

const probe = defineContract('probe', {
  echo: unary({ input: z.unknown(), output: z.unknown(), idempotent: true }),
  strict: unary({ input: z.object({ id: z.string() }), output: z.object({ id: z.string() }) }),
  describe: unary({
    output: z.object({ traceId: z.string(), leftMs: z.number(), tag: z.string(), who: z.string() }),
  }),
  fail: unary({
    input: z.object({ how: z.enum(['declared', 'framework', 'unknown', 'late']) }),
    errors: { GONE: z.object({ id: z.string() }) },
  }),
  hang: unary({ timeoutMs: 60_000 }),
  leak: unary({ output: z.object({ name: z.string() }) }),
  count: serverStream({ input: z.object({ to: z.number(), pad: z.number() }), output: z.any() }),
  endless: serverStream({ output: z.number() }),
  traces: serverStream({ output: z.string() }),
})

interface Bench {
  readonly api: ReturnType<typeof contractClient<typeof probe>>
  readonly connection: Connection
  readonly listener: Listener
  /** Calls whose signal has aborted, and elements that the handlers made. */
  readonly seen: { aborted: number; made: number; hanging: number }
}

interface BenchOptions {
  readonly limits?: Partial<Limits>
  readonly authenticate?: Authenticate
  readonly credential?: string
}

/** Runs `use` with a server, a connection to it and a client. */
async function withBench(
  { transport, freeAddress }: TransportSuiteOptions,
  options: BenchOptions,
  use: (bench: Bench) => Promise<void>,
): Promise<void> {
  const seen = { aborted: 0, made: 0, hanging: 0 }
  const limits = { ...defaultLimits, ...options.limits }
  const wheel = new TimerWheel(systemClock)
  const dispatcher = createDispatcher([probeService(seen)], {
    instance: 'probe-1',
    wheel,
    log: silentLog,
    middleware: [],
  })
  const { authenticate, credential } = options
  const listenOptions = { limits, clock: systemClock, authenticate }
  const listener = await transport.listen(await freeAddress(), dispatcher, listenOptions)
  try {
    const connectOptions = { limits, clock: systemClock, credential, instance: 'probe-1' }
    const connection = await transport.connect(listener.address, connectOptions)
    const invoke = compose(clientStack({ wheel, middleware: [] }), connection.invoke)
    const api = contractClient(probe, { clock: systemClock, invoke, currentCall })
    await use({ api, connection, listener, seen })
    await connection.close()
  } finally {
    await listener.close()
  }
}

function probeService(seen: Bench['seen']) {
  return defineService(probe, {
    echo: (input) => input,
    strict: ({ id }) => ({ id }),
    describe: (_, call) => ({
      traceId: call.trace.traceId,
      leftMs: call.remainingMs(),
      tag: call.metadata.get('tag') ?? '',
      who: call.peer.identity?.subject ?? '',
    }),
    async fail({ how }, call) {
      if (how === 'declared') throw call.error('GONE', { id: '7' })
      if (how === 'framework') throw new CoveyError('NOT_FOUND', 'nothing here')
      if (how === 'late') await new Promise((resolve) => setImmediate(resolve))
      throw new Error('a secret of the inside')
    },
    hang: (_, call) =>
      new Promise<void>(() => {
        seen.hanging += 1
        call.signal.addEventListener('abort', () => {
          seen.aborted += 1
        })
      }),
    leak: () => ({ name: 'ada', passwordHash: 'x' }) as { name: string },
    async *count({ to, pad }) {
      for (let number = 1; number <= to; number++) {
        seen.made = number
        yield pad === 0 ? number : { number, pad: 'x'.repeat(pad) }
      }
    },
    async *traces(_, call) {
      yield call.trace.traceId
      await new Promise((resolve) => setImmediate(resolve))
      yield currentCall()?.trace.traceId ?? 'outside of any call'
    },
    async *endless(_, call) {
      call.signal.addEventListener('abort', () => {
        seen.aborted += 1
      })
      for (let number = 1; ; number++) {
        yield number
        await new Promise((resolve) => setImmediate(resolve))
      }
    },
  })
}

function hasCode(code: string) {
  return (error: unknown) => error instanceof CoveyError && error.code === code
}

/**
 * What every transport has to do, as tests: results and errors reach their own call, context travels, streams
 * obey their reader, ends are clean.
 */
// size: a list of tests, each a few lines
export function transportSuite(name: string, options: TransportSuiteOptions): void {
  const check = (what: string, use: (bench: Bench) => Promise<void>, bench: BenchOptions = {}) =>
    test(`${name}: ${what}`, { timeout: 20_000 }, () => withBench(options, bench, use))

  check('a value comes back as it was sent', async ({ api }) => {
    const value = {
      n: 1,
      f: 1.5,
      neg: -7,
      big: 2 ** 40,
      s: 'ünï😀',
      list: [1, [2, null]],
      yes: true,
    }
    assert.deepEqual(await api.echo(value), value)
  })

  check('binary, dates, bigints, maps and sets survive', async ({ api }) => {
    const value = {
      bytes: new Uint8Array([1, 2, 255]),
      at: new Date('2026-01-02T03:04:05.678Z'),
      huge: 2n ** 80n,
      map: new Map([['a', { b: 1 }]]),
      set: new Set([1, 'x']),
    }
    assert.deepEqual(await api.echo(value), value)
  })

  check('many calls at once each get their own answer', async ({ api }) => {
    const answers = await Promise.all(Array.from({ length: 500 }, (_, n) => api.echo({ n })))
    assert.deepEqual(
      answers,
      Array.from({ length: 500 }, (_, n) => ({ n })),
    )
  })

  check('input that does not fit is refused with method and field', async ({ api }) => {
    const wrong = { id: 7 } as unknown as { id: string }
    await assert.rejects(api.strict(wrong), (error: CoveyError) => {
      assert.equal(error.code, 'INVALID_INPUT')
      assert.match(error.message, /probe\.strict input: id: /)
      return true
    })
  })

  check('output carries only what the contract names', async ({ api }) => {
    assert.deepEqual(await api.leak(), { name: 'ada' })
  })

  check('declared errors are typed, others show nothing of the inside', async ({ api }) => {
    const declared = await api.fail({ how: 'declared' }).catch((error: unknown) => error)
    assert.ok(api.fail.isError(declared, 'GONE'))
    assert.deepEqual(declared.details, { id: '7' })
    await assert.rejects(api.fail({ how: 'framework' }), hasCode('NOT_FOUND'))
    for (const how of ['unknown', 'late'] as const) {
      const error = (await api.fail({ how }).catch((thrown: unknown) => thrown)) as CoveyError
      assert.equal(error.code, 'INTERNAL')
      assert.doesNotMatch(JSON.stringify(error.toData()), /secret of the inside/)
    }
  })

  check('deadline, trace and metadata travel', async ({ api }) => {
    const seen = await api.describe(undefined, { timeoutMs: 2_000, metadata: { Tag: 'blue' } })
    assert.match(seen.traceId, /^[0-9a-f]{32}$/)
    assert.ok(seen.leftMs > 0 && seen.leftMs <= 2_000, `left: ${seen.leftMs}`)
    assert.equal(seen.tag, 'blue')
  })

  check('a deadline ends the call on both sides', async ({ api, seen }) => {
    await assert.rejects(api.hang(undefined, { timeoutMs: 30 }), hasCode('DEADLINE_EXCEEDED'))
    await until(() => seen.aborted === 1, 'the handler saw its signal abort')
  })

  check('cancelling reaches the handler', async ({ api, seen, connection }) => {
    const abort = new AbortController()
    const call = api.hang(undefined, { signal: abort.signal })
    await until(() => seen.hanging === 1, 'the handler runs')
    abort.abort()
    await assert.rejects(call, hasCode('CANCELLED'))
    await until(() => seen.aborted === 1, 'the handler saw its signal abort')
    assert.equal(connection.pending, 0)
  })

  check('a stream brings every element in order', async ({ api }) => {
    const numbers: number[] = []
    for await (const number of api.count({ to: 1_000, pad: 0 })) numbers.push(number)
    assert.deepEqual(
      numbers,
      Array.from({ length: 1_000 }, (_, index) => index + 1),
    )
  })

  check('the handler of a stream is within its call to the end', async ({ api }) => {
    const traces: string[] = []
    for await (const trace of api.traces()) traces.push(trace)
    assert.equal(traces.length, 2)
    assert.equal(traces[0], traces[1])
  })

  check('leaving a stream ends its handler', async ({ api, seen, connection }) => {
    for await (const number of api.endless()) if (number === 3) break
    await until(() => seen.aborted === 1, 'the handler saw its signal abort')
    await until(() => connection.pending === 0, 'nothing is pending')
  })

  check(
    'a reader that waits holds the handler back',
    async ({ api, seen }) => {
      const stream = api.count({ to: 10_000, pad: 1_000 })[Symbol.asyncIterator]()
      await stream.next()
      let before = -1
      await until(() => {
        const still = seen.made === before
        before = seen.made
        return still
      }, 'the handler waits')
      assert.ok(seen.made < 200, `${seen.made} elements were made ahead`)
      let count = 1
      for (let step = await stream.next(); !step.done; step = await stream.next()) count += 1
      assert.equal(count, 10_000)
    },
    { limits: { streamWindowBytes: 64 * 1024 } },
  )

  check(
    'draining lets calls finish and takes no new ones',
    async ({ api, listener, connection, seen }) => {
      const abort = new AbortController()
      const running = api.hang(undefined, { signal: abort.signal }).catch((error: unknown) => error)
      await until(() => seen.hanging === 1, 'the handler runs')
      let drained = false
      const drain = listener.drain().then(() => {
        drained = true
      })
      await until(() => connection.state === 'draining', 'the client was told')
      await assert.rejects(api.echo(1), hasCode('DRAINING'))
      assert.equal(drained, false)
      abort.abort()
      await drain
      assert.equal(hasCode('CANCELLED')(await running), true)
    },
  )

  check(
    'a server that closes fails its calls at once',
    async ({ api, listener, seen, connection }) => {
      const call = api.hang().catch((error: unknown) => error)
      await until(() => seen.hanging === 1, 'the handler runs')
      await listener.close()
      const error = (await call) as CoveyError
      assert.ok(['CANCELLED', 'CONNECTION_LOST'].includes(error.code), error.code)
      await connection.closed
      assert.equal(connection.state, 'closed')
      await assert.rejects(api.echo(1), hasCode('UNAVAILABLE'))
    },
  )

  check('values that cannot be sent are refused, the connection goes on', async ({ api }) => {
    await assert.rejects(api.echo({ run: () => 1 }), hasCode('UNENCODABLE'))
    assert.equal(await api.echo('still here'), 'still here')
  })

  const authenticate: Authenticate = async (credential) => {
    if (credential === 'good') return { subject: 'ada', claims: {} }
    throw new CoveyError('UNAUTHENTICATED', 'who are you?')
  }

  check(
    'the identity of the caller is known to the handler',
    async ({ api }) => assert.equal((await api.describe()).who, 'ada'),
    { authenticate, credential: 'good' },
  )

  test(`${name}: a wrong credential is refused`, { timeout: 20_000 }, async () => {
    const refused = withBench(options, { authenticate, credential: 'bad' }, async () => {})
    await assert.rejects(refused, hasCode('UNAUTHENTICATED'))
  })

  test(`${name}: an instance that is not the expected one is refused`, async () => {
    const { transport, freeAddress } = options
    const wheel = new TimerWheel(systemClock)
    const stack = { instance: 'other', wheel, log: silentLog, middleware: [] }
    const common = { limits: defaultLimits, clock: systemClock }
    await using listener = await transport.listen(
      await freeAddress(),
      createDispatcher([], stack),
      common,
    )
    const connecting = transport.connect(listener.address, { ...common, instance: 'probe-1' })
    await assert.rejects(connecting, hasCode('UNAVAILABLE'))
  })

  test(`${name}: nobody there is told as UNAVAILABLE`, async () => {
    const address = await options.freeAddress()
    const common = { limits: defaultLimits, clock: systemClock }
    await assert.rejects(options.transport.connect(address, common), hasCode('UNAVAILABLE'))
  })

  test(`${name}: an address is used once`, async () => {
    const wheel = new TimerWheel(systemClock)
    const stack = { instance: 'one', wheel, log: silentLog, middleware: [] }
    const common = { limits: defaultLimits, clock: systemClock }
    const dispatcher = createDispatcher([], stack)
    await using listener = await options.transport.listen(
      await options.freeAddress(),
      dispatcher,
      common,
    )
    const second = options.transport.listen(listener.address, dispatcher, common)
    await assert.rejects(second, hasCode('ADDRESS_IN_USE'))
  })

  modeSuite(name, options)
}

/** A call that belongs to nothing, for tests of single parts. */
export function looseCall(input: unknown, init: CallInit & { tag?: string } = {}): Call {
  const metadata = init.tag === undefined ? init.metadata : toMetadata({ tag: init.tag })
  return new Call(probe.methods.echo, input, { ...init, metadata })
}
