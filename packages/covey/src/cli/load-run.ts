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
  /** Told about every `reportMs` milliseconds of what came since the time before. */
  onProgress(progress: LoadProgress): void
  readonly reportMs: number
  /** Ends it early. */
  readonly signal: AbortSignal
}

/** What came of it lately. */
export interface LoadProgress {
  /** Since the start. */
  readonly elapsedMs: number
  /** Since it was told the last time. */
  readonly callsPerSecond: number
  /** Since it was told the last time; it is emptied when `onProgress` returns. */
  readonly latency: LatencyHistogram
  /** How many have failed, since the start. */
  readonly failed: number
}

/** What came of it in all. */
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
  const recent = new LatencyHistogram()
  const errors = new Map<string, number>()
  const firstErrors = new Map<string, CoveyError>()
  const startMs = clock.monotonicMs()
  const over = () => signal.aborted || clock.monotonicMs() - startMs >= durationMs

  async function caller(): Promise<void> {
    while (!over()) {
      const beganMs = clock.monotonicMs()
      try {
        await options.call()
        const tookMs = clock.monotonicMs() - beganMs
        latency.record(tookMs)
        recent.record(tookMs)
      } catch (thrown) {
        const error = CoveyError.from(thrown)
        errors.set(error.code, (errors.get(error.code) ?? 0) + 1)
        if (!firstErrors.has(error.code)) firstErrors.set(error.code, error)
        await new Promise<void>((resolve) => void clock.after(errorPauseMs, resolve))
      }
    }
  }

  let toldMs = startMs
  function tell(): void {
    const nowMs = clock.monotonicMs()
    const failed = errors.values().reduce((sum, count) => sum + count, 0)
    options.onProgress({
      elapsedMs: nowMs - startMs,
      callsPerSecond: perSecond(recent.total, nowMs - toldMs),
      latency: recent,
      failed,
    })
    toldMs = nowMs
    recent.reset()
  }

  const timer = clock.every(options.reportMs, tell)
  try {
    await Promise.all(Array.from({ length: concurrency }, caller))
  } finally {
    timer.stop()
  }
  const elapsedMs = Math.max(1, clock.monotonicMs() - startMs)
  const calls = latency.total
  const callsPerSecond = perSecond(calls, elapsedMs)
  return { elapsedMs, calls, callsPerSecond, latency, errors, firstErrors }
}

function perSecond(count: number, ms: number): number {
  return (count / Math.max(1, ms)) * 1_000
}
