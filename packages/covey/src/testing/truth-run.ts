import { setTimeout as wait } from 'node:timers/promises'
import { type Clock, systemClock } from '../base/clock.ts'
import type { Client } from '../contract/client.ts'
import { MemoryRegistry } from '../discovery/memory-registry.ts'
import { codeEntry } from '../error/codes.ts'
import { createClient } from '../rpc/create-client.ts'
import type { LinkSettings } from '../rpc/link-settings.ts'
import { createRuntime } from '../rpc/runtime.ts'
import type { Limits } from '../transport/limits.ts'
import { ExecutionLog } from './execution-log.ts'
import { truth } from './fixtures/truth-contract.ts'
import { seededRandom } from './random.ts'
import { planCall, planLargeCall } from './truth-calls.ts'
import { TruthChaos } from './truth-chaos.ts'
import { TruthFleet } from './truth-fleet.ts'
import { TruthLedger, type WitnessedCall } from './truth-ledger.ts'

/** Settings of a {@link truthRun}. */
export interface TruthRunOptions {
  /** How many calls are made. */
  readonly calls: number
  /** Of the plan of all calls and of the trouble; what the network makes of it is another matter. */
  readonly seed: number
  /** Calls in flight. Default 512. */
  readonly inFlight?: number
  /** Bytes are damaged as well; only with sealed frames. Default false. */
  readonly damage?: boolean
  /** Calls from one trouble to the next, about. Default 1,000. */
  readonly callsPerTrouble?: number
  /** How the connections are guarded. */
  readonly links?: LinkSettings
  /** Whether the calls go over HTTP. Default false. */
  readonly http?: boolean
  /** Whether servers have threads of their own. Default true. */
  readonly threads?: boolean
  /** For clients, and for servers of this thread. */
  readonly clock?: Clock
}

/** What a {@link truthRun} saw. */
export interface TruthRun {
  /** Every untruth; none is as it should be. */
  readonly problems: readonly string[]
  readonly outcomes: Readonly<Record<string, number>>
  /** Calls that ran more than once, as they may. */
  readonly repeated: number
  readonly troubles: Readonly<Record<string, number>>
  readonly seconds: number
}

/** Quick to notice that nobody is there, so that calls fail in all the ways they can. */
const limits: Partial<Limits> = {
  pingMs: 100,
  silenceMs: 300,
  connectMs: 300,
  handshakeMs: 500,
  maxCallsPerConnection: 500,
  slowReaderMs: 1_000,
}

const servers = 3

/**
 * Callers of a client of its own, who send much: their frames leave at once, and nothing else of that client follows them
 * before something breaks.
 */
const largeInFlight = 8

type Api = Client<typeof truth>

/** Makes calls to a small fleet under chaos and holds what callers were told against what servers did. */
export async function truthRun(options: TruthRunOptions): Promise<TruthRun> {
  const {
    calls,
    seed,
    inFlight = 512,
    damage = false,
    callsPerTrouble = 1_000,
    links = {},
    http = false,
    threads = true,
    clock = systemClock,
  } = options
  const startMs = performance.now()
  const log = new ExecutionLog(calls)
  const registry = new MemoryRegistry()
  const fleet = await TruthFleet.start({
    registry,
    log,
    size: servers,
    seed,
    limits,
    links,
    http,
    threads,
    clock,
  })
  using ledger = new TruthLedger(log)
  const runtimes = [1, 2].map(() => createRuntime({ ...links, registry, limits, clock }))
  let begun = 0
  const chaos = new TruthChaos(fleet, {
    random: seededRandom(seed + 1),
    damage,
    callsPerTrouble,
    calls: () => begun,
  })
  try {
    const random = seededRandom(seed)
    const next = () => (begun < calls ? begun++ : undefined)
    const [many, few] = runtimes.map((runtime) => createClient(truth, { runtime })) as [Api, Api]
    await Promise.all([
      callAll(inFlight, next, ledger, (number) => planCall(many, number, random)),
      callAll(largeInFlight, next, ledger, (number) => planLargeCall(few, number, random)),
    ])
  } finally {
    chaos.stop()
    await Promise.all(runtimes.map((runtime) => runtime.close()))
    await fleet.stop()
  }
  const seconds = (performance.now() - startMs) / 1_000
  return {
    problems: ledger.problems(),
    outcomes: ledger.outcomes(),
    repeated: ledger.repeated,
    troubles: chaos.counts,
    seconds,
  }
}

/** So many callers, each of whom makes one call behind the other. */
async function callAll(
  callers: number,
  next: () => number | undefined,
  ledger: TruthLedger,
  plan: (number: number) => WitnessedCall,
): Promise<void> {
  const caller = async () => {
    for (let number = next(); number !== undefined; number = next()) {
      const outcome = await ledger.witness(plan(number))
      // Who is told that nobody is there tries again a little later, or this would be a busy loop.
      if (codeEntry(outcome).retry === 'always') await wait(5)
    }
  }
  await Promise.all(Array.from({ length: callers }, caller))
}
