import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '../base/clock.ts'
import { TimerWheel } from '../base/timer-wheel.ts'
import { Call } from '../call/call.ts'
import { currentCall } from '../call/call-storage.ts'
import { compose, type Handler } from '../call/handler.ts'
import type { Client } from '../contract/client.ts'
import { defineContract } from '../contract/define-contract.ts'
import { defineService } from '../contract/define-service.ts'
import { serverStream, unary } from '../contract/method.ts'
import type { Ticket } from '../contract/ticket.ts'
import { CoveyError } from '../error/covey-error.ts'
import { silentLog } from '../observe/log.ts'
import type { AcceptedWork } from '../rpc/accepted-work.ts'
import { clientStack } from '../rpc/client-stack.ts'
import { contractClient } from '../rpc/contract-client.ts'
import { createAcceptedWork } from '../rpc/create-accepted-work.ts'
import { createDispatcher } from '../rpc/dispatcher.ts'
import { resultService } from '../rpc/result-service.ts'
import { results } from '../rpc/results.ts'
import { defaultLimits } from '../transport/limits.ts'
import type { Connection, Transport } from '../transport/transport.ts'
import { anything, number, shape, text } from './plain-schemas.ts'
import { until } from './until.ts'

/** What the suite asks of the transport that is tested. */
export interface ModeSuiteOptions {
  readonly transport: Transport
  /** An address nobody listens at. */
  freeAddress(): Promise<string>
}

const jobs = defineContract('jobs', {
  echo: unary({ input: anything(), output: anything() }),
  strict: unary({ input: shape({ id: text() }), output: text() }),
  /** Ends when the test says so. */
  gated: unary({ output: text(), timeoutMs: 60_000 }),
  fail: unary({ errors: { GONE: shape({ id: text() }) } }),
  facts: unary({
    output: shape({ leftMs: number(), tag: text(), tenant: text(), traceId: text() }),
  }),
  numbers: serverStream({ output: number() }),
})

interface Bench {
  readonly api: Client<typeof jobs>
  readonly connection: Connection
  /** Another connection, with a client of its own. */
  another(): Promise<{ api: Client<typeof jobs>; connection: Connection }>
  readonly work: AcceptedWork
  /** Lets `gated` go on. */
  open(): void
  /** Lets calls through to their handlers; closed with `hold`. */
  readonly door: { hold: Promise<void> | undefined }
  readonly seen: { begun: number; done: number; aborted: number }
}

/** Runs `use` with a server that takes three calls at once without anybody waiting. */
async function withBench(
  { transport, freeAddress }: ModeSuiteOptions,
  use: (bench: Bench) => Promise<void>,
): Promise<void> {
  const seen = { begun: 0, done: 0, aborted: 0 }
  const door: Bench['door'] = { hold: undefined }
  const gate = Promise.withResolvers<void>()
  const common = { limits: defaultLimits, clock: systemClock }
  const wheel = new TimerWheel(systemClock)
  const work = createAcceptedWork({ ...common, instance: 'jobs-1', log: silentLog, maxRunning: 3 })
  const dispatcher = createDispatcher([jobsService(seen, gate.promise), resultService(work)], {
    instance: 'jobs-1',
    work,
    wheel,
    log: silentLog,
    middleware: [(next) => (call) => door.hold?.then(() => next(call)) ?? next(call)],
  })
  const listener = await transport.listen(await freeAddress(), dispatcher, common)
  const connections: Connection[] = []
  const another = async () => {
    const connection = await transport.connect(listener.address, { ...common, instance: 'jobs-1' })
    connections.push(connection)
    const invoke = compose(clientStack({ wheel, middleware: [] }), connection.invoke)
    return { connection, api: contractClient(jobs, { clock: systemClock, invoke, currentCall }) }
  }
  try {
    await use({ ...(await another()), another, work, open: gate.resolve, door, seen })
  } finally {
    for (const connection of connections) await connection.close()
    await work.close()
    work.store.close()
    await listener.close()
  }
}

function jobsService(seen: Bench['seen'], gate: Promise<void>) {
  return defineService(jobs, {
    echo: (input) => input,
    strict({ id }) {
      seen.begun += 1
      return id
    },
    async gated(_, call) {
      seen.begun += 1
      call.onCancel(() => {
        seen.aborted += 1
      })
      await gate
      seen.done += 1
      return 'done'
    },
    fail: (_, call) => {
      throw call.error('GONE', { id: '7' })
    },
    facts: (_, call) => ({
      leftMs: call.remainingMs(),
      tag: call.metadata.get('tag') ?? '',
      tenant: call.baggage.get('tenant') ?? '',
      traceId: call.trace.traceId,
    }),
    async *numbers() {
      yield 1
    },
  })
}

function hasCode(code: string) {
  return (error: unknown) => error instanceof CoveyError && error.code === code
}

/** What every transport has to do with calls that nobody waits for, as tests. */
// size: a list of tests, each a few lines
export function modeSuite(name: string, options: ModeSuiteOptions): void {
  const check = (what: string, use: (bench: Bench) => Promise<void>) =>
    test(`${name}: ${what}`, { timeout: 20_000 }, () => withBench(options, use))

  check('notify ends when the handler has begun', async ({ api, seen, open }) => {
    assert.equal(await api.gated.notify(), undefined)
    assert.deepEqual([seen.begun, seen.done], [1, 0])
    open()
    await until(() => seen.done === 1, 'the handler ended')
  })

  check('a submitted call gives its result later, also to others', async (bench) => {
    const { api, another, open, seen, work } = bench
    const ticket = await api.gated.submit()
    assert.deepEqual([seen.begun, seen.done], [1, 0])
    assert.match(ticket.token, /^jobs-1~[\w-]{22,}$/)
    const waiting = ticket.result()
    open()
    assert.equal(await waiting, 'done')
    const other = await another()
    assert.equal(await other.api.gated.ticket(ticket.token).result(), 'done')
    assert.equal(work.running, 0)
  })

  check('values survive being kept', async ({ api }) => {
    const value = {
      bytes: new Uint8Array([1, 2, 255]),
      at: new Date('2026-01-02T03:04:05.678Z'),
      huge: 2n ** 80n,
      map: new Map([['a', { b: [1, null, 'ünï😀'] }]]),
    }
    assert.deepEqual(await (await api.echo.submit(value)).result(), value)
    assert.equal(await (await api.echo.submit(undefined)).result(), undefined)
  })

  check('a failed call gives its own error', async ({ api }) => {
    const error = await (await api.fail.submit()).result().catch((thrown: unknown) => thrown)
    assert.ok(api.fail.isError(error, 'GONE'))
    assert.deepEqual(error.details, { id: '7' })
    assert.equal(error.path, 'jobs.fail')
    await api.fail.notify()
  })

  check('what is refused was not begun', async ({ api, seen, work }) => {
    const wrong = { id: 7 } as unknown as { id: string }
    await assert.rejects(api.strict.notify(wrong), hasCode('INVALID_INPUT'))
    await assert.rejects(api.strict.submit(wrong), hasCode('INVALID_INPUT'))
    assert.deepEqual([seen.begun, work.running], [0, 0])
    for (let count = 0; count < 3; count++) await api.gated.notify()
    for (const send of [api.strict.notify, api.strict.submit]) {
      await assert.rejects(send({ id: '7' }), (error: CoveyError) => {
        assert.equal(error.code, 'RESOURCE_EXHAUSTED')
        assert.match(error.message, /was not run/)
        return true
      })
    }
    assert.equal(seen.begun, 3)
    assert.equal(await api.strict({ id: 'a call that is waited for' }), 'a call that is waited for')
  })

  check('accepted work outlives its caller and the connection', async (bench) => {
    const { api, connection, another, seen, open } = bench
    const abort = new AbortController()
    const ticket = await api.gated.submit(undefined, { signal: abort.signal })
    abort.abort()
    await api.gated.notify(undefined, { signal: abort.signal }).catch(() => {})
    await connection.close()
    const other = await another()
    assert.equal(seen.aborted, 0)
    open()
    assert.equal(await other.api.gated.ticket(ticket.token).result(), 'done')
    assert.equal(seen.aborted, 0)
  })

  check('a call that is given up before it begins never begins', async (bench) => {
    const { api, connection, seen, door, work } = bench
    const barrier = Promise.withResolvers<void>()
    door.hold = barrier.promise
    const abort = new AbortController()
    const cancelled = api.gated.submit(undefined, { signal: abort.signal })
    const late = api.gated.notify(undefined, { timeoutMs: 30 })
    await until(() => work.running > 0, 'the server has them')
    abort.abort()
    await assert.rejects(cancelled, hasCode('CANCELLED'))
    await assert.rejects(late, hasCode('DEADLINE_EXCEEDED'))
    await until(() => work.running === 0, 'the server has let them go')
    const lost = api.gated.notify().catch((error: CoveyError) => error.code)
    await until(() => work.running === 1, 'the server has it')
    await connection.close()
    assert.ok(['CANCELLED', 'CONNECTION_LOST'].includes(String(await lost)))
    await until(() => work.running === 0, 'the server has let it go')
    barrier.resolve()
    await new Promise((resolve) => setImmediate(resolve))
    assert.equal(seen.begun, 0)
  })

  check('the time that is set is that of the work', async ({ api, seen }) => {
    // Its time bounds the acceptance as well, which takes a while on a machine with other work.
    let ticket: Ticket<string> | undefined
    for (let timeoutMs = 400; ticket === undefined; timeoutMs *= 2) {
      ticket = await api.gated.submit(undefined, { timeoutMs }).catch(() => undefined)
    }
    await assert.rejects(ticket.result(), hasCode('DEADLINE_EXCEEDED'))
    await until(() => seen.aborted === seen.begun, 'the handler saw its signal abort')
    const facts = await (
      await api.facts.submit(undefined, {
        timeoutMs: 60_000,
        metadata: { tag: 'blue' },
        baggage: { tenant: 'acme' },
      })
    ).result()
    assert.ok(facts.leftMs > 50_000 && facts.leftMs <= 60_000, `left: ${facts.leftMs}`)
    assert.deepEqual([facts.tag, facts.tenant], ['blue', 'acme'])
    assert.match(facts.traceId, /^[0-9a-f]{32}$/)
  })

  check('many results are collected at once, each with its own end', async ({ api, open }) => {
    const gated = await api.gated.submit()
    const tickets = [await api.echo.submit(1), gated, await api.fail.submit()] as const
    const early = await results(tickets, { timeoutMs: 500 })
    assert.deepEqual(early[0], { ok: true, value: 1 })
    assert.ok(!early[1].ok && early[1].error.code === 'DEADLINE_EXCEEDED')
    open()
    const [echo, done, failed] = await results(tickets)
    assert.deepEqual([echo, done], [early[0], { ok: true, value: 'done' }])
    assert.ok(!failed.ok && api.fail.isError(failed.error, 'GONE'))
  })

  check('a token that nobody gave is told as such', async ({ api }) => {
    const unknown = api.echo.ticket(`jobs-1~${'a'.repeat(24)}`)
    await assert.rejects(unknown.result(), hasCode('RESULT_EXPIRED'))
    const elsewhere = api.echo.ticket(`jobs-0~${'a'.repeat(24)}`)
    await assert.rejects(elsewhere.result(), hasCode('RESULT_LOST'))
    assert.throws(() => api.echo.ticket('nonsense'), hasCode('INVALID_INPUT'))
  })

  check('streams take neither, and say so', async ({ connection }) => {
    const call = new Call(jobs.methods.numbers, undefined, { mode: 'notify' })
    await assert.rejects(connection.invoke(call), hasCode('UNIMPLEMENTED'))
  })

  test(`${name}: a server that takes none says so`, async () => {
    const common = { limits: defaultLimits, clock: systemClock }
    const serve: Handler = async () => undefined
    const { fail } = jobs.methods
    const dispatcher = { instance: 'plain', methods: [fail], serve }
    const address = await options.freeAddress()
    await using listener = await options.transport.listen(address, dispatcher, common)
    await using connection = await options.transport.connect(listener.address, common)
    for (const mode of ['notify', 'submit'] as const) {
      const refused = connection.invoke(new Call(fail, undefined, { mode }))
      await assert.rejects(refused, hasCode('UNIMPLEMENTED'))
    }
  })
}
