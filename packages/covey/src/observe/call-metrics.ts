import { LatencyHistogram } from '../base/latency-histogram.ts'

/** What is known of the calls of one method, as plain data. */
export interface MethodMetrics {
  /** `users.get` */
  readonly method: string
  /** Calls that run now. */
  readonly running: number
  /** Calls that have ended, well or not. */
  readonly calls: number
  /** How many failed, by code. */
  readonly errors: Readonly<Record<string, number>>
  readonly meanMs: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

/** Counts of one method. */
export interface MethodCounter {
  running: number
  readonly latency: LatencyHistogram
  readonly errors: Map<string, number>
}

/** Codes of one method that are told apart; contracts declare few. */
const maxCodes = 100

/** Counts the calls of a process by method. Methods are known from the start, so nothing a caller sends makes it grow. */
export class CallMetrics {
  readonly #counters = new Map<string, MethodCounter>()

  /** The counter of a method, made at the first time. */
  of(method: string): MethodCounter {
    let counter = this.#counters.get(method)
    if (counter === undefined) {
      counter = { running: 0, latency: new LatencyHistogram(), errors: new Map() }
      this.#counters.set(method, counter)
    }
    return counter
  }

  /** All methods that were called, by name. */
  snapshot(): MethodMetrics[] {
    return [...this.#counters]
      .filter(([, { running, latency }]) => running > 0 || latency.total > 0)
      .map(([method, { running, latency, errors }]) => ({
        method,
        running,
        calls: latency.total,
        errors: Object.fromEntries(errors),
        meanMs: latency.meanMs,
        p50Ms: latency.quantile(0.5),
        p99Ms: latency.quantile(0.99),
        maxMs: latency.maxMs,
      }))
      .sort((one, other) => one.method.localeCompare(other.method))
  }
}

/** Notes the end of a call that took `ms`, with the code of its error if it failed. */
export function countEnd(counter: MethodCounter, ms: number, code?: string): void {
  counter.running -= 1
  counter.latency.record(ms)
  if (code === undefined) return
  const { errors } = counter
  const key = errors.has(code) || errors.size < maxCodes ? code : 'OTHER'
  errors.set(key, (errors.get(key) ?? 0) + 1)
}
