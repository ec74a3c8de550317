import { test } from 'node:test'
import { modeSuite } from './mode-suite.ts'
import { callTests } from './transport-suite/call-tests.ts'
import { clientStreamTests } from './transport-suite/client-stream-tests.ts'
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
 * What every transport has to do, as tests: results and errors reach their own call, context travels, streams
 * of both directions obey their reader, ends are clean.
 */
export function transportSuite(name: string, options: TransportSuiteOptions): void {
  const check: Check = (what, use, bench = {}) => {
    test(`${name}: ${what}`, { timeout: 20_000 }, () => withBench(options, bench, use))
  }
  callTests(check)
  serverStreamTests(check)
  clientStreamTests(check)
  duplexTests(check)
  lifeTests(check, name, options)
  modeSuite(name, options)
}
