import assert from 'node:assert/strict'
import { Call } from '../../call/call.ts'
import { runInCall } from '../../call/call-storage.ts'
import { nextSpan, Trace } from '../../call/trace.ts'
import type { CallOptions } from '../../contract/client.ts'
import { probe } from './probe.ts'
import type { Check, TransportBench } from './transport-bench.ts'

/** What a handler was told of its call. */
type Facts = Awaited<ReturnType<TransportBench['api']['describe']>>

/** What travels with a call, whatever kind it is of. */
export function contextTests(check: Check): void {
  const kinds: Record<string, (api: TransportBench['api'], wishes: CallOptions) => Promise<Facts>> =
    {
      'one result': (api, wishes) => api.describe(undefined, wishes),
      'a stream of results': (api, wishes) => first(api.describeAll(undefined, wishes)),
      'a stream of inputs': (api, wishes) => api.describeInputs([1, 2], wishes),
      'streams both ways': (api, wishes) => first(api.describeEach([1], wishes)),
    }
  for (const [kind, ask] of Object.entries(kinds)) {
    check(`deadline, trace, metadata and baggage travel with ${kind}`, async ({ api }) => {
      const trace = new Trace(nextSpan().bytes, 'rojo=00f067aa0ba902b7,fw529a3039@dt=FfD0')
      const around = new Call(probe.methods.echo, undefined, {
        trace,
        baggage: new Map([['tenant', 'acme']]),
      })
      const wishes = { timeoutMs: 20_000, metadata: { Tag: 'blue' } }
      const seen = await runInCall(around, () => ask(api, wishes))
      assert.ok(seen.leftMs > 0 && seen.leftMs <= 20_000, `left: ${seen.leftMs}`)
      assert.deepEqual(
        [seen.traceId, seen.traceState, seen.tag, seen.tenant, seen.attempt],
        [trace.traceId, trace.state, 'blue', 'acme', 1],
      )
    })
  }
}

async function first<T>(stream: AsyncIterable<T>): Promise<T> {
  for await (const item of stream) return item
  throw new Error('the stream was empty')
}
