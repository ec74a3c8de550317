import type { Clock } from '../base/clock.ts'
import { LatencyHistogram } from '../base/latency-histogram.ts'
import { CoveyError } from '../error/covey-error.ts'

/** How calls are made. */
export interface LoadOptions {
  readonly clock: Clock
  /** Callers that make their next call when the last one is answered. */
  readonly concurrency: number
  /** Milliseconds. */
  readonly durationMs: number
  /** Makes one call. */
  call(): Promise<unknown>
  /** Told about every `reportMs` milliseconds. */
  onProgress(progress: LoadReport): void
  readonly reportMs: number
  /** Ends it early. */
  readonly signal: AbortSignal
}

/** What came of it, until now or in all. */
export interface LoadReport {
  readonly elapsedMs: number
  readonly calls: number
  readonly callsPerSecond: number
  readonly latency: LatencyHistogram
  /** How many failed, by code. */
  readonly errors: ReadonlyMap<string, number>
  /** The first failure of each code, for people. */
  readonly firstErrors: ReadonlyMap<string, CoveyError>
}

/** A caller that only gets errors must not turn in circles. */
const errorPauseMs = 10

/** Makes calls in a closed loop for some time. Calls that are under way at the end are waited for. */
export async function runLoad(options: LoadOptions): Promise<LoadReport> {
  const { clock, concurrency, durationMs, signal } = options
  const latency = new LatencyHistogram()
  const errors = new Map<string, number>()
  const firstErrors = new Map<string, CoveyError>()
  const startMs = clock.monotonicMs()
  const report = (): LoadReport => {
    const elapsedMs = Math.max(1, clock.monotonicMs() - startMs)
    const calls = latency.total
    const callsPerSecond = (calls / elapsedMs) * 1_000
    return { elapsedMs, calls, callsPerSecond, latency, errors, firstErrors }
  }
  const over = () => signal.aborted || clock.monotonicMs() - startMs >= durationMs

  async function caller(): Promise<void> {
    while (!over()) {
      const beganMs = clock.monotonicMs()
      try {
        await options.call()
        latency.record(clock.monotonicMs() - beganMs)
      } catch (thrown) {
        const error = CoveyError.from(thrown)
        errors.set(error.code, (errors.get(error.code) ?? 0) + 1)
        if (!firstErrors.has(error.code)) firstErrors.set(error.code, error)
        await new Promise<void>((resolve) => void clock.after(errorPauseMs, resolve))
      }
    }
  }

  const timer = clock.every(options.reportMs, () => options.onProgress(report()))
  try {
    await Promise.all(Array.from({ length: concurrency }, caller))
  } finally {
    timer.stop()
  }
  return report()
}
