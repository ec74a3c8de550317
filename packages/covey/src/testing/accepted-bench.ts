import { z } from 'zod'
import { TimerWheel } from '../base/timer-wheel.ts'
import { Call, type CallInit, type CallMode } from '../call/call.ts'
import type { Middleware } from '../call/handler.ts'
import { defineContract } from '../contract/define-contract.ts'
import { defineService } from '../contract/define-service.ts'
import { unary } from '../contract/method.ts'
import { AcceptedWork } from '../rpc/accepted-work.ts'
import { createDispatcher } from '../rpc/dispatcher.ts'
import { MemoryResultStore } from '../rpc/memory-result-store.ts'
import type { CollectedResult } from '../rpc/result-contract.ts'
import { resultContract } from '../rpc/result-contract.ts'
import { resultService } from '../rpc/result-service.ts'
import { FakeClock } from './fake-clock.ts'
import { RecordingLog } from './recording-log.ts'

/** What accepted work is tested with. */
export const jobs = defineContract('jobs', {
  run: unary({ input: z.any(), output: z.any() }),
  strict: unary({ output: z.object({ name: z.string() }) }),
})

/** What is not as usual. */
export interface AcceptedBenchOptions {
  readonly middleware?: Middleware[]
  readonly maxRunning?: number
  readonly maxBytesEach?: number
}

/** A dispatcher whose handler does what `handle` says; `begun` counts its runs. */
export function acceptedBench(
  handle: (input: unknown, call: Call) => unknown,
  options: AcceptedBenchOptions = {},
) {
  const clock = new FakeClock()
  const log = new RecordingLog()
  const { maxRunning = 10, maxBytesEach = 4_000_000 } = options
  const store = new MemoryResultStore(clock, { maxBytesEach })
  const work = new AcceptedWork({ instance: 'jobs-1', clock, log, store, maxRunning })
  const seen = { begun: 0 }
  const service = defineService(jobs, {
    run(input, call) {
      seen.begun += 1
      return handle(input, call as unknown as Call)
    },
    strict: () => ({}) as { name: string },
  })
  const dispatcher = createDispatcher([service, resultService(work)], {
    instance: 'jobs-1',
    work,
    wheel: new TimerWheel(clock),
    log,
    middleware: options.middleware ?? [],
  })
  const newCall = (mode: CallMode, input?: unknown, init: CallInit = {}) =>
    new Call(jobs.methods.run, input, { clock, mode, ...init })
  const accept = (call: Call) => dispatcher.accept!(call)
  const collect = (tokens: unknown[], waitMs = 0) =>
    dispatcher.serve(
      new Call(resultContract.methods.collect, { tokens, waitMs }, { clock }),
    ) as Promise<CollectedResult[]>
  return { clock, log, store, work, seen, dispatcher, newCall, accept, collect }
}
