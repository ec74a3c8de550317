import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '../../base/clock.ts'
import { CoveyError } from '../../error/covey-error.ts'
import { silentLog } from '../../observe/log.ts'
import { createDispatcher } from '../../rpc/dispatcher.ts'
import { startChaosProxy } from '../../testing/chaos-proxy.ts'
import { ExecutionLog } from '../../testing/execution-log.ts'
import { truth } from '../../testing/fixtures/truth-contract.ts'
import { truthService } from '../../testing/fixtures/truth-service.ts'
import { clientOver, lineWheel } from '../../testing/tcp-line.ts'
import { until } from '../../testing/until.ts'
import { defaultLimits } from '../limits.ts'
import type { Connection } from '../transport.ts'
import { connectHttp } from './client.ts'
import { listenHttp } from './server.ts'

// Answers over HTTP that end anywhere, by a reset or by an end. The link has a socket of its own, which is cut with them.

const options = { clock: systemClock, limits: defaultLimits }
const limited = { timeout: 60_000 }

function serve(log: ExecutionLog) {
  const stack = { instance: 'truth-1', wheel: lineWheel, log: silentLog, middleware: [] }
  const dispatcher = createDispatcher([truthService(log)], stack)
  return listenHttp('http://127.0.0.1:0', dispatcher, options)
}

function before(address: string) {
  return startChaosProxy(address.replace('http:', 'tcp:'))
}

type Proxy = Awaited<ReturnType<typeof before>>

function dial(proxy: Proxy) {
  return connectHttp(proxy.address.replace('tcp:', 'http:'), options)
}

async function listOf(stream: AsyncIterable<unknown>, into: unknown[]): Promise<void> {
  for await (const item of stream) into.push(item)
}

/** How many bytes come back for a call. */
async function answerBytes(
  address: string,
  run: (connection: Connection) => Promise<unknown>,
): Promise<number> {
  await using proxy = await before(address)
  await using connection = await dial(proxy)
  const welcome = proxy.passedBytes.down
  await run(connection)
  return proxy.passedBytes.down - welcome
}

test(
  'an answer over HTTP that is cut at any byte is an error, never half a result',
  limited,
  async () => {
    const log = new ExecutionLog(2_000)
    await using listener = await serve(log)
    const answer = await answerBytes(listener.address, (connection) =>
      clientOver(truth, connection).echo({ number: 0, text: 'answer' }),
    )
    assert.ok(answer > 100 && answer < 500, `${answer} bytes`)
    for (let bytes = 0; bytes < answer; bytes++) {
      for (const how of ['cutAfterBytes', 'endAfterBytes'] as const) {
        await using proxy = await before(listener.address)
        await using connection = await dial(proxy)
        // Those of each connection count from its own beginning.
        proxy.set({ [how]: bytes }, 'down')
        const number = 1 + bytes
        const call = clientOver(truth, connection).echo({ number, text: 'answer' })
        const got = await call.then(
          () => 'OK',
          (error: CoveyError) => error.code,
        )
        assert.equal(got, 'CONNECTION_LOST', `${how} ${bytes}`)
        assert.ok(log.runs(number) > 0)
      }
    }
    await until(() => listener.connections === 0, 'nothing is left')
  },
)

test(
  'a stream over HTTP that is cut at any byte ends with an error behind whole elements',
  limited,
  async () => {
    await using listener = await serve(new ExecutionLog(2_000))
    const answer = await answerBytes(listener.address, (connection) =>
      listOf(clientOver(truth, connection).count({ number: 1, to: 5 }), []),
    )
    let elements = 0
    for (let bytes = 0; bytes < answer; bytes++) {
      await using proxy = await before(listener.address)
      await using connection = await dial(proxy)
      proxy.set({ cutAfterBytes: bytes }, 'down')
      const got: unknown[] = []
      const reading = listOf(clientOver(truth, connection).count({ number: 1, to: 5 }), got)
      const code = await reading.then(
        () => 'OK',
        (error: unknown) => CoveyError.from(error).code,
      )
      const expected = Array.from({ length: got.length }, (_, place) => ({ number: 1, place }))
      assert.deepEqual(got, expected)
      // The last bytes of a body in chunks, behind the frame of the end, say nothing more.
      if (code === 'OK') assert.ok(got.length === 5 && answer - bytes <= 7, `${bytes} of ${answer}`)
      else assert.equal(code, 'CONNECTION_LOST', `cut at ${bytes}`)
      elements = Math.max(elements, got.length)
    }
    assert.equal(elements, 5)
  },
)
