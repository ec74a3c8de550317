import { test } from 'node:test'
import { modeSuite } from './mode-suite.ts'
import { batchTests } from './transport-suite/batch-tests.ts'
import { callTests } from './transport-suite/call-tests.ts'
import { clientStreamTests } from './transport-suite/client-stream-tests.ts'
import { contextTests } from './transport-suite/context-tests.ts'
import { duplexTests } from './transport-suite/duplex-tests.ts'
import { lifeTests } from './transport-suite/life-tests.ts'
import { serverStreamTests } from './transport-suite/server-stream-tests.ts'
import {
  type Check,
  type TransportSuiteOptions,
  withBench,
} from './transport-suite/transport-bench.ts'

export type { TransportSuiteOptions } from './transport-suite/transport-bench.ts'

/**
 * What every transport has to do, as tests: results and errors reach their own call, context travels, batches and streams
 * of all kinds work, streams of both directions obey their reader, work is accepted that nobody waits for, ends are clean.
 */
export function transportSuite(name: string, options: TransportSuiteOptions): void {
  const check: Check = (what, use, bench = {}) => {
    test(`${name}: ${what}`, { timeout: 20_000 }, () => withBench(options, bench, use))
  }
  callTests(check)
  contextTests(check)
  batchTests(check)
  serverStreamTests(check)
  clientStreamTests(check)
  duplexTests(check)
  lifeTests(check, name, options)
  modeSuite(name, options)
}
