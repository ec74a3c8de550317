import type { LatencyHistogram } from '../base/latency-histogram.ts'

/** `1.25 ms`, `310 µs`, `2.4 s`: three digits. */
export function latencyText(ms: number): string {
  if (ms < 1) return `${Math.round(ms * 1_000)} µs`
  if (ms < 1_000) return `${Number(ms.toPrecision(3))} ms`
  return `${Number((ms / 1_000).toPrecision(3))} s`
}

const barWidth = 40

/** Bounds that a person finds round: 1, 2 and 5 times each power of ten, from 10 µs to 50 s. */
const boundsMs = [0.01, 0.1, 1, 10, 100, 1_000, 10_000].flatMap((unit) => [
  unit,
  2 * unit,
  5 * unit,
])

/** How many calls took how long, as bars. Empty ranges at both ends are left out. */
export function histogramText(latency: LatencyHistogram): string {
  const counts = latency.countsBetween(boundsMs)
  const first = counts.findIndex((count) => count > 0)
  const last = counts.findLastIndex((count) => count > 0)
  if (first < 0) return ''
  const most = Math.max(...counts)
  return counts
    .slice(first, last + 1)
    .map((count, place) => {
      const bound = boundsMs[first + place]
      const label = bound === undefined ? 'more' : `≤ ${latencyText(bound)}`
      const bar = '█'.repeat(Math.round((count / most) * barWidth)) || (count > 0 ? '▏' : '')
      const share = ((count / latency.total) * 100).toFixed(1)
      return `${`  ${label.padStart(9)}  ${share.padStart(5)} %  ${bar}`.trimEnd()}\n`
    })
    .join('')
}
