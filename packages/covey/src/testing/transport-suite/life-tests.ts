import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '../../base/clock.ts'
import { TimerWheel } from '../../base/timer-wheel.ts'
import { CoveyError } from '../../error/covey-error.ts'
import { silentLog } from '../../observe/log.ts'
import { createDispatcher } from '../../rpc/dispatcher.ts'
import { defaultLimits } from '../../transport/limits.ts'
import type { Authenticate } from '../../transport/transport.ts'
import { until } from '../until.ts'
import { type Check, hasCode, type TransportSuiteOptions, withBench } from './transport-bench.ts'

/** Reads a stream to its end; settles with the code that it fails with. */
async function collect(stream: AsyncIterable<unknown>): Promise<string> {
  try {
    for await (const _ of stream);
    return 'end'
  } catch (error) {
    return CoveyError.from(error).code
  }
}

/** How connections begin, who is at their ends, and how they end. */
// size: a list of tests, each a few lines
export function lifeTests(check: Check, name: string, options: TransportSuiteOptions): void {
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
    'a server that goes away still tells, to all who come, what is served to the end',
    async ({ api, health, listener, connection, seen, another }) => {
      const hang = api.hang().catch((error: unknown) => error)
      await until(() => seen.hanging === 1, 'the handler runs')
      const reading = collect(api.endless())
      await until(() => seen.made > 0, 'the stream runs')
      listener.goAway()
      listener.goAway()
      assert.equal(await reading, 'CONNECTION_LOST')
      await until(() => connection.state === 'draining', 'the client was told')
      await assert.rejects(api.echo(1), hasCode('DRAINING'))
      assert.equal((await health.check()).state, 'draining')

      const late = await another()
      await until(() => late.connection.state === 'draining', 'the newcomer was told')
      await assert.rejects(late.api.echo(1), hasCode('DRAINING'))
      assert.equal((await late.health.check()).state, 'draining')
      assert.equal(seen.aborted, 1)
      await listener.close()
      assert.match(((await hang) as CoveyError).code, /CANCELLED|CONNECTION_LOST/)
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
}
