import type { PayloadName } from './payloads.ts'
import { ratio, type Scenarios, unaryRow } from './results.ts'
import type { SubjectName } from './subjects.ts'

/** What Covey promises about its speed, and what was found. */
export interface Target {
  /** What is looked at, in words. */
  name: string
  /** The least or the most that is wanted. */
  atLeast?: number
  atMost?: number
  /** Null when it was not measured in this run. */
  value: number | null
  met: boolean | null
  /** Wished for beyond what is promised. */
  stretch?: true
}

type Bound = Pick<Target, 'atLeast' | 'atMost' | 'stretch'>

const mebibyte = 1024 ** 2
/** Below this a difference between two medians of blocks is noise, in µs. */
const noiseUs = 0.05

/** Compares what was found with each target. */
export function checkTargets(scenarios: Scenarios): Target[] {
  return [
    ...unaryTargets(scenarios),
    ...bulkTargets(scenarios),
    ...otherTargets(scenarios),
    ...overloadTargets(scenarios),
  ]
}

function unaryTargets({ unary }: Scenarios): Target[] {
  const row = (subject: SubjectName, concurrency: number, payload?: PayloadName) =>
    unaryRow(unary, subject, concurrency, payload)
  const calls = (peer: SubjectName, payload?: PayloadName) =>
    over(row('covey', 128, payload)?.callsPerSecond, row(peer, 128, payload)?.callsPerSecond)
  return [
    target('calls/s at 128, Covey / moleculer', calls('moleculer'), { atLeast: 3 }),
    target('calls/s at 128, Covey / nestjs', calls('nestjs'), { atLeast: 3 }),
    target('calls/s at 128, Covey / grpcJs', calls('grpcJs'), { atLeast: 25 }),
    target('calls/s at 128, Covey / goNetRpc', calls('goNetRpc'), { atLeast: 2 }),
    target('calls/s at 128, Covey / bareJson', calls('bareJson'), { atLeast: 0.8 }),
    target('calls/s at 128, Covey / bareJson', calls('bareJson'), { atLeast: 1, stretch: true }),
    target('p50 at 1, Covey / bareJson', over(row('covey', 1)?.p50us, row('bareJson', 1)?.p50us), {
      atMost: 1.25,
    }),
    target('calls/s of list50 at 128, Covey / bareJson', calls('bareJson', 'list50'), {
      atLeast: 1.5,
    }),
    target(
      'calls/s of list50distinct at 128, Covey / bareJson',
      calls('bareJson', 'list50distinct'),
      {
        atLeast: 1.5,
        stretch: true,
      },
    ),
  ]
}

function bulkTargets({ bulk }: Scenarios): Target[] {
  const of = (subject: SubjectName) => bulk.find((row) => row.subject === subject)
  const covey = of('covey')
  const above = covey && covey.serverAboveIdleBytes + covey.clientAboveIdleBytes
  const speed = over(covey?.megabytesPerSecond, of('netPipe')?.megabytesPerSecond)
  return [
    target('bytes/s of 1 GiB, Covey / netPipe', speed, { atLeast: 0.7 }),
    target('memory above idle during 1 GiB, both processes, MiB', over(above, mebibyte), {
      atMost: 64,
    }),
  ]
}

function otherTargets({ idleConnections, middleware }: Scenarios): Target[] {
  const idle = idleConnections.find((row) => row.subject === 'covey')
  const cost = middleware.find((row) => row.subject === 'covey')
  const p99 = over(idle?.loadedP99us, idle?.unloadedP99us)
  return [
    target('idle connections held', idle?.connections, { atLeast: 10_000 }),
    target('server memory per idle connection, bytes', idle?.serverBytesPerConnection, {
      atMost: 8 * 1024,
    }),
    target('p99 of 1,000 calls/s, with idle connections / without', p99, { atMost: 3 }),
    target('five middlewares on, µs per call', cost?.fiveOnUs, { atMost: 0.5 }),
    target('five middlewares off, µs per call', cost?.fiveOffUs, { atMost: noiseUs }),
  ]
}

function overloadTargets({ overload }: Scenarios): Target[] {
  const at = (times: number) => overload.find((row) => row.admission && row.times === times)
  const [ten, forty] = [at(10), at(40)]
  return [
    target('answers in time at 10 × the load, % of the peak', ten?.goodPercent, { atLeast: 95 }),
    target('answers in time at 40 × the load, % of the peak', forty?.goodPercent, { atLeast: 90 }),
    target('what a refused call costs, µs', forty?.refuseUs ?? undefined, { atMost: 5 }),
    target('answers in time a second after it, %', ten?.recoveredPercent, { atLeast: 99 }),
  ]
}

function over(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? undefined : ratio(one, other)
}

function target(name: string, value: number | undefined, bound: Bound): Target {
  if (value === undefined) return { name, ...bound, value: null, met: null }
  const { atLeast = Number.NEGATIVE_INFINITY, atMost = Number.POSITIVE_INFINITY } = bound
  return { name, ...bound, value, met: value >= atLeast && value <= atMost }
}
